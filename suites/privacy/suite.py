"""Does the model give away what it was trained on?"""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Suite

__all__ = ["Privacy"]


class Privacy(Suite):
    """Word-for-word memorisation, and personal data in what the model writes.

    What it measures. Without files of the user's: whether greedy decoding reproduces famous texts that are all over
    training data (`memorisation_public`), against texts written for this project and never published before
    (`memorisation_unseen`, where anything but 0 is a fault of the instrument or the texts' entry into training data),
    and how often continuations of inviting openings hold personal data. With a suite file: memorisation of the user's
    own documents (`type: memorisation`), membership inference on member and non-member files (`type: membership`) and
    the exposure of planted canaries (`type: canaries`).

    Limits. The default tasks say whether the model can reproduce at all, not whether it reproduces your data: only your
    own files tell that. An attack that fails is no proof that none succeeds.
    """

    name = "privacy"
    title = "Privacy"
    report = "suites.privacy.report:PrivacyReport"
    concerns_people = True
    tasks = ("memorisation_public", "memorisation_unseen", "personal_data")
    headline = (
        ("memorisation_public", "extraction_rate_64"),
        ("personal_data", "personal_data_rate"),
    )

    @override
    def further_metrics(self) -> Sequence[tuple[str, Sequence[Metric]]]:
        from suites.privacy.declared import DeclaredCanaries, DeclaredMembership

        return [
            ("`type: membership`", DeclaredMembership.metrics),
            ("`type: canaries`", DeclaredCanaries.metrics),
        ]
