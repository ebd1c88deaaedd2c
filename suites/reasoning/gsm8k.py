"""GSM8K: sums of primary school, told as stories."""

import re
from collections.abc import Sequence

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Row, Sample
from harness.metrics.second_reader import DISAGREEMENT
from harness.metrics.written import WRITTEN
from harness.tasks.extraction import (
    Extracted,
    behind_marker,
    boxed,
    canonical_answer,
    last_number,
    number_by,
    same_answer,
)
from suites.reasoning.twice_read import TwiceRead

__all__ = ["GSM8K"]

_WORKED = re.compile(r"<<[^>]*>>")
_RULES = (boxed, behind_marker, last_number)


class GSM8K(TwiceRead):
    """Stories of two to eight sums, solved in the model's own words (Cobbe et al., 2021).

    What it measures. The share of right numbers, after two worked examples from the same set (chain of thought). The
    answer is what stands in the last box, behind `Answer:`, or the last number. `extractor_disagreement` says how often
    the library math-verify, which reads more leniently, says otherwise.

    Why it matters. Everybody reports it, and it was the first test on which writing out the steps made the difference.

    Limits. A hundred of the 1,319 rows; `--task lm-eval:gsm8k` asks them all of those who are online. The rows are in
    much training data, and about one in a hundred is wrong or unclear (Vendrow et al., 2025). Published figures have
    eight examples and up to 512 tokens: here 128 are allowed, and what is longer is `cut`; raise `--max-tokens`. Chance
    is 0. 6 rows by default: an error of up to 0.2.
    """

    name = "gsm8k"
    data = "gsm8k_100"
    default_limit = 6
    default_num_fewshot = 2
    max_tokens = 128
    until: Sequence[str] = ("\nQuestion:", "\n\nQuestion")
    metrics: Sequence[Metric] = (*WRITTEN, DISAGREEMENT)

    @override
    def sample(self, row: Row) -> Sample:
        return Sample(
            id="",
            prompt=f"Question: {row['prompt'].strip()}\nThink step by step, and end with a line that begins with "
            '"Answer:", followed by the number and nothing else.\nReply:',
            gold=str(row["expected"]).strip(),
            fields={"worked": str(row["upstream_answer"])},
        )

    @override
    def answer(self, sample: Sample) -> str:
        """The steps as people worked them, without the marks of a calculator."""
        steps = _WORKED.sub("", sample.fields["worked"]).rpartition("####")[0].strip()
        return f"{steps}\nAnswer: {sample.gold}"

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The publisher's: the number of the row in the test set."""
        return str(row["id"])

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        return number_by(text, _RULES)

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return same_answer(answer, str(sample.gold))

    @override
    def ballot(self, sample: Sample, answer: str) -> str:
        return canonical_answer(answer)
