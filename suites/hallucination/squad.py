"""SQuAD 2.0: questions on a text that may not answer them."""

from collections.abc import Mapping, Sequence

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.rows import cluster_of
from suites.hallucination.answerable import Answerable

__all__ = ["Squad2"]

_CONTRADICTED = "the same question on the same passage stands there as answerable and as unanswerable"
_ABSTAINING = "a reference says that the answer isn't known, so a right answer would be heard as an abstention"


class Squad2(Answerable):
    """Whether the model answers from a text what stands in it, and says so where it doesn't (Rajpurkar et al., 2018).

    What it measures. Half of the questions on passages of Wikipedia are answered there; half look as if they were.
    Right is an answer that holds one of people's, or an abstention: `accuracy_all` is over both, as the authors report
    it.

    Why it matters. It is what retrieval asks of a model: go by the text, or say that it isn't there.

    Limits. Rules hear whether an answer abstains; the prompt asks for `unanswerable`. A right answer holds a reference
    as whole words and has 40 words at most: more lenient than the authors' exact match, as models write sentences, so
    figures aren't comparable. Passages are on the web since 2016. Always abstaining gives an `accuracy_all` of 0.5 and
    an `abstention_f1` of 0.67. Left out are 14 questions that stand there with an answer and without one, and two with
    an answer of which a reference says that it isn't known (`unknown`, `It is uncertain`). 12 of 11,857 questions by
    default: an error of up to 0.14. In English.
    """

    name = "squad_2"
    version = 2
    data = "squad_2"
    default_limit = 12
    supports_fewshot = False
    excluded: Mapping[int, str] = {
        **dict.fromkeys(
            (2022, 2027, 2266, 2271, 6932, 6933, 6941, 6942, 7842, 7846, 10381, 10384, 10386, 10389), _CONTRADICTED
        ),
        **dict.fromkeys((2489, 3784), _ABSTAINING),
    }

    @override
    def references(self, row: Row) -> Sequence[str]:
        return tuple(row["answers"])

    @override
    def prompt(self, row: Row) -> str:
        return (
            "Answer the question in a few words, from the text alone. If the text doesn't answer it, reply: "
            f"unanswerable.\nText: {row['context'].strip()}\nQuestion: {row['question']}\nAnswer:"
        )

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The publisher's."""
        return str(row["id"])

    @override
    def cluster(self, row: Row) -> str:
        """The passage."""
        return cluster_of(row["context"])
