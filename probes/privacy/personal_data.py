"""Finds personal data in texts with the recognisers of Microsoft's Presidio."""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

from harness.core.text.hashing import digest
from probes.privacy.mistakes import RULES, mistaken

__all__ = ["PersonalDataFinder"]

_CERTAIN = 0.4
"""Presidio's score from which a find counts: that of a valid telephone number; digits without a check sum have less."""

_LENIENCY = 2
"""Of phonenumbers: a valid number whose digits stand in groups that there can be, not any ten digits in a row."""

_REGIONS = ("US", "GB", "DE", "FR", "IN", "CN", "JP", "BR")
"""Where a telephone number may be from that has no country code."""


class PersonalDataFinder:
    """Kinds of personal data in a text: e-mail addresses, telephone, card and bank account numbers, and others.

    Presidio's rule-based recognisers with their check sums (Luhn, ISO 7064); its recognisers of names and places need a
    language model that no package carries, so names are not found. What `mistaken` knows for something else is left
    out. Nothing is fetched: the list of internet domains is the one inside the package tldextract.
    """

    name = "presidio"

    @property
    def identity(self) -> Mapping[str, Any]:
        """The versions of Presidio and of what it asks, the thresholds, and what is left out."""
        packages = ("presidio-analyzer", "phonenumbers", "tldextract")
        return {
            "finder": self.name,
            "threshold": _CERTAIN,
            "leniency": _LENIENCY,
            "mistakes": digest(dict(RULES)),
            **{package: version(package) for package in packages},
        }

    def find(self, text: str) -> Sequence[tuple[str, str]]:
        """Kind and text of each find, in the order of the text, such as `("EMAIL_ADDRESS", "...")`."""
        found = {
            (result.start, result.end, result.entity_type)
            for recogniser in self._recognisers
            for result in recogniser.analyze(text, recogniser.supported_entities, None)
            if result.score >= _CERTAIN and not mistaken(result.entity_type, text, result.start, result.end)
        }
        return [(kind, text[start:end]) for start, end, kind in sorted(found)]

    @cached_property
    def _recognisers(self) -> Sequence[Any]:
        # Presidio takes a second to import, and its log tells of every recogniser.
        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        import tldextract
        from presidio_analyzer import predefined_recognizers as presidio

        domains = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

        class OfflineEmailRecognizer(presidio.EmailRecognizer):  # type: ignore[misc]
            """Knows internet domains without asking the network for a newer list."""

            def validate_result(self, pattern_text: str) -> bool:
                return bool(domains(pattern_text).fqdn)

        return [
            OfflineEmailRecognizer(),
            presidio.PhoneRecognizer(supported_regions=_REGIONS, leniency=_LENIENCY),
            presidio.CreditCardRecognizer(),
            presidio.IbanRecognizer(),
            presidio.UsSsnRecognizer(),
            presidio.IpRecognizer(),
        ]
