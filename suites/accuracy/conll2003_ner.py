"""Named entities in news."""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.tagging import Tagging, entity_metrics

__all__ = ["CoNLL2003NER"]

TYPES = ("PER", "LOC", "ORG", "MISC")


class CoNLL2003NER(Tagging):
    """Named entities in English news (Tjong Kim Sang and De Meulder, 2003): persons, places, organisations, others.

    What it measures. Precision, recall and F1 of whole entities, right in bounds and type, overall and by type, as in
    conlleval and seqeval. The sub-words of a word go by the label of the first one.

    Why it matters. Names are what search, redaction and the linking of records start from; a name that is found in part
    is of as little use as one that isn't found.

    Limits. 226 sentences of the test split, half of them lists of sports results, where most entities are persons; 63
    entities are organisations and 46 others, so their figures have wide intervals. News of 1996 by one agency.
    """

    name = "conll2003_ner"
    data = "conll2003"
    default_limit = 226
    types = TYPES
    metrics = entity_metrics(TYPES)

    @override
    def words(self, row: Row) -> Sequence[str]:
        """The words."""
        return tuple(row["tokens"])

    @override
    def tags(self, row: Row) -> Sequence[str]:
        """Their tags, in IOB2."""
        return tuple(row["tags"])
