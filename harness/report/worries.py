"""What a reader should worry about, found in the scores by rules that anybody can check; never by a model.

Each rule looks at one thing and says what it found, whatever others say. What is said to be so rests on a test that the
record holds (see `harness.report.findings`); what can't be told is said to be just that. The weightiest come first, and
of those that weigh the same the surest.
"""

from collections.abc import Callable, Iterator, Sequence

from harness.core.reports import Weight, Worry
from harness.core.reports.installed import suite_reports
from harness.core.text.display import number
from harness.core.text.reasons import but_last
from harness.metrics.written import ACCURACY, CHANCE, CUT, UNPARSED
from harness.report.context import ReportContext
from harness.report.sentences import likewise, own_name, rule_place, single, told_value

__all__ = ["RULES", "worries"]

WIDE = 0.1
"""A share whose interval reaches further than this to either side was measured on too few samples."""

MANY = 0.1
"""A share of cut or unread answers that is worth a sentence."""


def worries(context: ReportContext) -> list[Worry]:
    """Everything that a rule of a suite or of the harness found, the weightiest first."""
    found = [
        worry for name, report in suite_reports().items() for worry in report.worries(context, context.words.of(name))
    ]
    found += [worry for rule in RULES for worry in rule(context)]
    return sorted(found, key=lambda worry: (worry.weight, worry.p_value))


def _failed_gate(context: ReportContext) -> Iterator[Worry]:
    for verdict in context.verdicts:
        failed = [rule for rule in verdict.rules if rule.verdict in ("FAIL", "ERROR") and rule.severity == "block"]
        if failed:
            # The last part of a reason is how the interval was made.
            told = [
                context.words(
                    "{name}: {value}",
                    name=own_name(rule) or rule_place(context.words, rule),
                    value=context.words.reason(but_last(rule.reason)),
                )
                for rule in failed[:2]
            ]
            named = context.words("; ").join(told)
            yield Worry(
                weight=Weight.DECIDED,
                text=context.words(
                    "The gate {policy} did not pass: {count} of its rules failed ({named}).",
                    policy=verdict.policy,
                    count=len(failed),
                    named=named,
                ),
            )


def _worse_than_baseline(context: ReportContext) -> Iterator[Worry]:
    found, words = context.comparison, context.words
    worse = [one for one in found.at("suite") if one.change == "worse"] if found else []
    if worse:
        told = words("; ").join(
            words(
                "{name}: {value}",
                name=words("{name} ({part})", name=words.title(one.suite), part=words.metric(one.metric)),
                value=f"{number(one.first)} → {number(one.second)}",
            )
            for one in worse
        )
        text = words("Worse than the baseline beyond doubt: {told}.", told=told)
        yield Worry(weight=Weight.DECIDED, text=text)


def _invalid_samples(context: ReportContext) -> Iterator[Worry]:
    counts: dict[str, tuple[int, int]] = {}
    for one in context.estimates:
        if one.group is None and not one.is_headline and (count := context.unusable(one)):
            counted = (count, count + one.n)
            name = context.words.task(one.suite, one.task)
            counts[name] = max(counts.get(name, counted), counted)
    if counts:
        (task, (count, every)), *others = sorted(counts.items(), key=lambda one: -one[1][0] / one[1][1])
        text = context.words(
            "{count} of {all} samples of {task} could not be used: its scores are of the others alone.",
            count=count,
            all=every,
            task=task,
        )
        told = [context.words("{task} {value}", task=name, value=f"{few}/{many}") for name, (few, many) in others]
        yield Worry(weight=Weight.UNUSABLE, text=text + likewise(context.words, told))


def _written_by_chance(context: ReportContext) -> Iterator[Worry]:
    """Written answers that are no better than a blind pick, as far as their number tells."""
    chances = {(one.suite, one.task): one.value for one in single(context.estimates) if one.metric == CHANCE.name}
    tasks = [
        context.words.task(one.suite, one.task)
        for one in single(context.estimates)
        if one.metric == ACCURACY.name
        and one.low is not None
        and (chance := chances.get((one.suite, one.task))) is not None
        and one.low <= chance
    ]
    if tasks:
        text = context.words(
            "On {task} the written answers can't be told from guessing: the interval of the accuracy reaches down to "
            "what chance gives.",
            task=tasks[0],
        )
        yield Worry(weight=Weight.OPEN, text=text + likewise(context.words, tasks[1:]))


def _few_samples(context: ReportContext) -> Iterator[Worry]:
    wide = [
        one
        for one in context.headlines
        if one.unit == "share" and one.low is not None and one.high is not None and one.high - one.low > 2 * WIDE
    ]
    if wide:
        yield Worry(
            weight=Weight.OPEN,
            text=context.words(
                "Few samples were asked: {suites} is known to no better than ± {width}.",
                suites=context.words(", ").join(context.words.title(one.suite) for one in wide),
                width=number(max((one.high or 0) - (one.low or 0) for one in wide) / 2),
            ),
        )


def _censored_answers(context: ReportContext) -> Iterator[Worry]:
    """Answers without an end, and answers in which nothing was found."""
    for metric, sentence in (
        (
            CUT,
            "{share} of the answers to {task} were cut: its accuracy is a lower bound. Allow more with --max-tokens.",
        ),
        (UNPARSED, "{share} of the answers to {task} hold nothing that could be read as one: look at the samples."),
    ):
        high = [one for one in single(context.estimates) if one.metric == metric.name and (one.value or 0) > MANY]
        high.sort(key=lambda one: -(one.value or 0))
        told = [(context.words.task(one.suite, one.task), told_value(one, one.value)) for one in high]
        if told:
            (task, share), *others = told
            text = context.words(sentence, task=task, share=share)
            more = likewise(context.words, [f"{name} {part}" for name, part in others])
            yield Worry(weight=Weight.UNUSABLE, text=text + more)


RULES: Sequence[Callable[[ReportContext], Iterator[Worry]]] = (
    _failed_gate,
    _worse_than_baseline,
    _invalid_samples,
    _censored_answers,
    _written_by_chance,
    _few_samples,
)
"""What can be said of any run, whatever its suites."""
