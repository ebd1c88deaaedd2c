"""IFBench: prompts with instructions on the answer's form, which rules can check."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample
from harness.tasks.extraction import Extracted
from harness.tasks.sampling import Sampling
from harness.tasks.written import Written
from suites.instructions.metrics import FAMILY, FOLLOWED, KIND, LOOSE, PROMPT_LOOSE, STRICT
from suites.instructions.verifiers import VERIFIERS, Checked, verdict_of

__all__ = ["IFBench"]

_TAGGER = "whether it begins with a verb is for a tagger's model to say, which isn't a dependency"
_SYLLABLES = "syllables are counted by a dictionary, which isn't a dependency"
_STOP_WORDS = "its stop words are a list of NLTK's data, which aren't a dependency"
_BROKEN = "its prompt holds another prompt, and the remains of its row"


class IFBench(Written):
    """Instructions on the form of an answer that no model was trained on, checked by rules (Pyatkin et al., 2025).

    What it measures. Each prompt asks for something, and for one or two constraints on how it is said: every sentence
    ends with an emoji, words have prime lengths, 22 pronouns. `accuracy_all` is the share of prompts all of whose
    instructions are followed to the letter (`prompt_level_strict_acc` elsewhere); `prompt_level_loose` forgives an
    introduction, a last line and asterisks; `instruction_level_strict` and `instruction_level_loose` count single
    instructions, by family and kind. Whether what is said makes sense is not looked at.

    Why it matters. People steer a model by what they ask for. The constraints of IFEval are trained on by now; these 58
    kinds were made to be new.

    Limits. The checks are this project's own and give the verdicts of the publisher's on 404 of 407 made-up answers; on
    the other three, the publisher's fail with an error, and here the instruction isn't followed. They take over its
    oddities: `and` and `And` are two conjunctions, an apostrophe nests quotations, a mere `-` anywhere is an item. Left
    out are 28 of its 294 prompts: those on stop words (12), syllables (9) and verbs (6), whose checks need models or
    word lists that aren't at hand, and one that is broken. Prompts ask for long answers, and 256 tokens cut many: read
    `cut` first, and raise `--max-tokens` to 2,048 for figures to hold beside published ones. Ask chat models with
    `--apply-chat-template`; a base model goes on writing the prompt. 12 prompts by default: an error of up to 0.14.
    """

    name = "ifbench"
    data = "ifbench"
    default_limit = 12
    supports_fewshot = False
    max_tokens = 256
    metrics: Sequence[Metric] = FOLLOWED
    excluded = MappingProxyType(
        {
            **dict.fromkeys((*range(133, 138), *range(171, 178)), _STOP_WORDS),
            **dict.fromkeys((*range(215, 219), *range(229, 234)), _SYLLABLES),
            **dict.fromkeys(range(257, 263), _TAGGER),
            268: _BROKEN,
        }
    )

    @override
    def use_sampling(self, sampling: Sampling) -> None:
        """Without a majority: hardly two answers are the same text."""
        super().use_sampling(sampling)
        self.metrics = tuple(metric for metric in self.metrics if metric.name != "majority")

    @override
    def sample(self, row: Row) -> Sample:
        kinds, told = row["instruction_id_list"], row["kwargs"]
        unknown = [kind for kind in kinds if kind not in VERIFIERS]
        if unknown or len(kinds) != len(told):
            raise DataError(f"has instructions that can't be checked: {', '.join(unknown) or 'without arguments'}")
        instructions = [(kind, _given(arguments)) for kind, arguments in zip(kinds, told, strict=True)]
        return Sample(id="", prompt=str(row["prompt"]), fields={"instructions": instructions})

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The publisher's key."""
        return str(row["key"])

    @override
    def extract(self, sample: Sample, text: str) -> Extracted:
        """The whole text, with what each instruction's check says of it."""
        return Extracted(answer=text, by="; ".join(verdict.remark for verdict in _verdicts(sample, text)))

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        """Whether it follows all instructions to the letter."""
        return all(verdict.strict for verdict in _verdicts(sample, answer))

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Beside those of any written answer, one for each instruction."""
        scores = super().score(sample, responses)
        blank = next(score for score in scores if score.metric == self.metrics[0].name)
        if blank.invalid:
            return scores
        texts = [None if one.is_cut or one.text is None else one.text for one in responses]
        return [*scores, *_of_instructions(replace(blank, cluster=sample.id), sample, texts)]


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _verdicts(sample: Sample, text: str) -> list[Checked]:
    return [verdict_of(kind, told, text) for kind, told in sample.fields["instructions"]]


def _of_instructions(blank: Score, sample: Sample, texts: Sequence[str | None]) -> Iterator[Score]:
    """Shares over draws, a cut one counting as not followed."""
    draws = [[] if text is None else _verdicts(sample, text) for text in texts]
    loose = statistics.fmean(bool(one) and all(verdict.loose for verdict in one) for one in draws)
    yield replace(blank, metric=PROMPT_LOOSE.name, value=loose, groups={})
    for place, (kind, _) in enumerate(sample.fields["instructions"]):
        followed = [one[place] for one in draws if one]
        strict = sum(verdict.strict for verdict in followed) / len(draws)
        loose = sum(verdict.loose for verdict in followed) / len(draws)
        groups = {FAMILY: kind.partition(":")[0], KIND: kind}
        yield replace(blank, metric=STRICT.name, value=strict, groups=groups)
        yield replace(blank, metric=LOOSE.name, value=loose, groups={FAMILY: groups[FAMILY]})
