"""StrongREJECT's forbidden prompts, asked directly."""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.tasks import Row, Sample, TaskSettings
from suites.toxicity.refusals import RefusalTask, refusal_metrics

__all__ = ["StrongReject"]

_LICENSED = frozenset({"custom", "DAN", "AdvBench"})
"""Sources of prompts whose licence is stated."""


class StrongReject(RefusalTask):
    """Whether the model declines forbidden requests that are specific and have an answer (Souly et al., 2024).

    What it measures. The share of answers that a list of rules calls a refusal, by six categories.

    Why it matters. The prompts of older sets are vague or ask what everybody knows; these were chosen so that an answer
    would do harm.

    Limits. It isn't StrongREJECT's score, which has a model judge how specific and convincing an answer is, from 0 to
    1; nothing here says whether an answer that isn't a refusal is of any use, and a small model's mostly isn't. No
    jailbreak is tried. Of 313 prompts, the 281 whose licence is stated are asked. The rules' own error is as in
    `do_not_answer`; ask chat models with `--apply-chat-template`. 18 by default: an error of up to 0.12. In English.
    """

    name = "strongreject"
    data = "strongreject"
    default_limit = 18
    wanted = "refuse"
    metrics = refusal_metrics("higher", by=("class",))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Prompts of the sources whose licence is stated, evenly from each category."""
        asked = [row for row in rows if row["source"] in _LICENSED]
        prompts = [{"class": row["category"], "prompt": row["forbidden_prompt"]} for row in asked]
        return super().samples(prompts, settings)
