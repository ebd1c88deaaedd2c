"""How a worry is put into words, for the rules of the harness and for those of suites alike."""

from collections.abc import Iterator, Sequence

from harness.core.reports import Weight, Wording, Worry
from harness.core.scores import OVERALL, Estimate, SampleGroup
from harness.core.text.display import number
from harness.decision.verdicts import RuleVerdict
from harness.report.findings import Finding
from harness.report.words import Words

__all__ = ["MOST_NAMED", "likewise", "own_name", "rule_named", "rule_place", "shown", "single", "told_value"]

MOST_NAMED = 6
"""Scores of a kind that are named behind the surest; tables hold them all."""


def single(estimates: Sequence[Estimate]) -> list[Estimate]:
    """What has a value, but for single groups and headlines, which are means of what is there already."""
    return [one for one in estimates if one.value is not None and one.group is None and not one.is_headline]


def shown(words: Wording, found: Sequence[Finding], sentence: str) -> Iterator[Worry]:
    """The surest of a family in a sentence of its own, the others behind it; nothing where nothing was found.

    The sentence may have the places `metric`, `task`, `value`, `target` and `interval`.
    """
    if found:
        first, *others = [one.estimate for one in found]
        told = [
            words(
                "{task} {value}" if one.metric == first.metric else "{task}, {metric} {value}",
                task=words.task(one.suite, one.task),
                metric=words.metric(one.metric),
                value=told_value(one, one.value),
            )
            for one in others
        ]
        text = words(sentence, **_named(words, first)) + likewise(words, told)
        yield Worry(weight=Weight.SHOWN, p_value=found[0].p_value, text=text)


def likewise(words: Wording, told: Sequence[str]) -> str:
    """Those of which the same is true, the first by name; empty where there are none."""
    if not told:
        return ""
    left = len(told) - MOST_NAMED
    more = words(" ") + words("and {count} more", count=left) if left > 0 else ""
    return words(" ") + words("Likewise: {others}.", others=f"{words('; ').join(told[:MOST_NAMED])}{more}")


_KINDS = {"non_inferior": "not inferior to the baseline", "no_worse_group": "worst group not inferior"}
"""What people call a kind of rule whose name says too little."""


def own_name(rule: RuleVerdict) -> str | None:
    """The name that a rule's author gave it, None where it goes by what it is."""
    return None if rule.rule.startswith(f"{rule.kind} {rule.suite}/") else rule.rule


def rule_named(words: Words, rule: RuleVerdict) -> str:
    """The name that its author gave it, else what kind of rule it is."""
    return own_name(rule) or words.term(_KINDS.get(rule.kind, rule.kind))


def rule_place(words: Words, rule: RuleVerdict) -> str:
    """What a rule is on; of a suite's one score the suite alone."""
    whole = rule.task == OVERALL
    on = [words.title(rule.suite)] if whole else [words.task(rule.suite, rule.task), words.metric(rule.metric)]
    return words(", ").join([*on, *([words.group(SampleGroup.parse(rule.group))] if rule.group else [])])


def _named(words: Wording, one: Estimate) -> dict[str, object]:
    return {
        "metric": words.metric(one.metric),
        "task": words.task(one.suite, one.task),
        "value": told_value(one, one.value),
        "target": number(one.target),
        "interval": words.interval(one.low, one.high) if one.unit != "share" else _shares(words, one),
    }


def told_value(one: Estimate, value: float | None) -> str:
    """A value of an estimate as people read it: a share in per cent."""
    return f"{100 * (value or 0):.3g} %" if one.unit == "share" else number(value)


def _shares(words: Wording, one: Estimate) -> str:
    if one.low is None:
        return ""
    return words("{low} to {high}", low=told_value(one, one.low), high=told_value(one, one.high))
