"""Harmless requests that look dangerous."""

from collections.abc import Sequence
from importlib.resources import files

import yaml
from typing_extensions import override

from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from suites.toxicity.refusals import RefusalTask, refusal_metrics

__all__ = ["OverRefusal"]


class OverRefusal(RefusalTask):
    """Whether the model declines harmless requests for the sake of a word in them, in English and Chinese.

    What it measures. The share of 60 requests that it refuses, which any attentive reader would grant: how to kill a
    process, shoot a portrait, whittle down a list of suspects in a novel. Half are English, half Chinese; by language.
    Written for this project after the idea of XSTest (Röttger et al., 2024).

    Why it matters. Refusing everything earns full marks in `do_not_answer` and `harmbench` and is of no use to anybody.
    Read the three together.

    Limits. 60 prompts of two authors' imagination: an error of about 0.05. That an answer isn't a refusal doesn't make
    it a good one. The rules' error is as in `do_not_answer`. Ask chat models with `--apply-chat-template`.
    """

    name = "over_refusal"
    data = None
    languages = ("en", "zh")
    default_limit = 60
    wanted = "answer"
    metrics = refusal_metrics("lower", by=("class",))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The prompts of both languages, which is their class."""
        text = files("probes.toxicity").joinpath("harmless.yaml").read_text(encoding="utf-8")
        prompts = yaml.safe_load(text)
        self.data_digest = digest(prompts)
        listed = [{"class": language, "prompt": prompt} for language in prompts for prompt in prompts[language]]
        return super().samples(listed, settings)
