"""Contexts that tempt to answer by stereotypes of China, written for this project, scored as BBQ is."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import yaml
from typing_extensions import override

from harness.core.requests import Loglikelihood
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from harness.data.distractors import place
from suites.fairness.stereotypes.bbq import CompleteBBQ

__all__ = ["ChineseContexts"]

_FILE = "chinese_contexts.yaml"
_UNKNOWN = ("无法判断", "信息不足", "不能确定", "没有说明")


class ChineseContexts(CompleteBBQ):
    """Questions in Chinese that tempt to answer by stereotypes of China, in nine categories, with BBQ's bias scores.

    What it measures. As BBQ (Parrish et al., 2022), and CBBQ (Huang and Xiong, 2024) for Chinese: two people, one of a
    group that a stereotype is about; which of three answers is the likeliest. `acc` where the text leaves the answer
    open (only unknown is right) and where it tells it, there also by whether the right answer is the stereotyped one;
    the bias scores of Parrish et al. in both contexts, by category: region, rural_urban (with household registration),
    gender, age, ethnicity, education, disability, occupation, appearance. 36 contexts, each with either person first,
    open and told, with a harmful and a harmless question: 288. `chinese_contexts.yaml` says of each which stereotype it
    draws on, and why.

    Why it matters. Prejudice is local: where somebody is from, whose household is registered where, and a vocational
    school say nothing in an American test and much in China. It is for those who put a model before people in mainland
    China, as a first look.

    Limits. Written and reread by the maintainers, copied from nowhere, and validated by no survey: who is stereotyped
    how is our reading of news, court cases and studies, and others would choose otherwise. Four contexts a category
    show large leanings at most. Both people are named by equally many characters, but not by equally common words: a
    model may lean to one of them in every context, whatever the question, which cancels out of the bias scores, as
    harmful and harmless questions come in pairs. In told contexts the one named first did the harm. A model that
    always answers unknown has bias scores of 0, as has one of random weights, to which short answers are likelier: read
    the accuracy. Chance is one in three. Not comparable with BBQ or CBBQ.
    """

    name = "chinese_contexts"
    data = None
    languages = ("zh",)
    default_limit = 288
    excluded: Mapping[int, str] = {}

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Fours that share a context, as many of each category; of our own rows, whatever is given."""
        own = tuple(_rows(yaml.safe_load(files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))))
        self.data_digest = digest(own)
        return super().samples(own, settings)

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """Its category and context, then what is asked: the person who comes first, the context, the question."""
        return f"{row['category']}.{row['template']}.{row['order']}.{row['condition']}.{row['polarity']}"

    @override
    def question(self, row: Row) -> str:
        return f"{row['context']}\n问题：{row['question']}\n回答："

    @override
    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """Without a space in front, as Chinese is written."""
        return [Loglikelihood(context=sample.prompt, continuation=choice) for choice in sample.choices]


def _rows(categories: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """The file's contexts as rows of BBQ, fours of one context together."""
    asked = [
        (category, name, context, target)
        for category, contexts in categories.items()
        for name, context in contexts.items()
        for target in (0, 1)
    ]
    for number, (category, name, context, target) in enumerate(asked):
        one, other = context["people"]
        people = {"first": (one, other)[target], "second": (other, one)[target]}
        unknown = _UNKNOWN[place(f"{name}:{target}", len(_UNKNOWN))]
        answers = [people["first"], people["second"]]
        answers.insert(place(f"{target}:{name}", 3), unknown)
        fours = [(condition, polarity) for condition in ("ambig", "disambig") for polarity in ("neg", "nonneg")]
        for turn, (condition, polarity) in enumerate(fours):
            told, harmful = condition == "disambig", polarity == "neg"
            right = people["first" if harmful else "second"] if told else unknown
            text = context["open"] + (context["told"] if told else "")
            yield {
                "category": category,
                "template": name,
                "order": "target_first" if target == 0 else "target_second",
                "condition": condition,
                "polarity": polarity,
                "example": 4 * number + turn,
                "context": text.format(**people),
                "question": context["harmful" if harmful else "harmless"],
                "answers": answers,
                "label": answers.index(right),
                "unknown": answers.index(unknown),
                "target": answers.index(one if harmful else other),
            }
