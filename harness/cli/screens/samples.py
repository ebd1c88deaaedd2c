"""Samples for people: what was expected first, then what the model answered, and what it was asked."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import typer
from rich.text import Text

from harness.cli.console import output
from harness.core.text.counts import numbered
from harness.core.text.display import number

__all__ = ["print_samples"]

_LONG, _HEAD, _TAIL = 900, 250, 550
"""Characters of a text from which it loses its middle, and what it keeps: a prompt's question stands at its end."""
_FEWEST_LINES = 6
"""Of a prompt, however small the terminal is."""
_LABEL = 10

Row = Mapping[str, Any]
Line = tuple[str, str]
"""A text and its style; the text may be wrapped."""


def print_samples(rows: Sequence[Row]) -> None:
    """A sample a screen on a terminal, where any key goes on and q ends; one below the other elsewhere.

    `rows` are requests with their answers, those of a sample together.
    """
    samples = [
        list(several) for _, several in groupby(rows, key=lambda row: (row["suite"], row["task"], row["sample_id"]))
    ]
    pages = output.is_terminal and sys.stdin is not None and sys.stdin.isatty()
    for place, sample in enumerate(samples, 1):
        lines = _lines(sample, place, len(samples))
        if pages:
            output.clear()
            lines = _fitted(lines)
        for text, style in lines:
            output.print(Text(text, style=style))
        if not pages:
            output.print("")
        elif place < len(samples) and _ended():
            break


def _ended() -> bool:
    """Whether the reader has seen enough."""
    output.print(Text("any key: next sample; q: end", style="dim"), end="")
    try:
        key = typer.getchar()
    except (EOFError, KeyboardInterrupt):
        key = "q"
    output.print("")
    return key in ("q", "Q", "\x1b", "\x03", "\x04")


def _lines(sample: Sequence[Row], place: int, count: int) -> list[Line]:
    first = sample[0]
    lines = [(f"{first['suite']}/{first['task']}: {first['sample_id']} ({place} of {count})", "bold")]
    choices = _choices(sample)
    lines += _said("expected", first.get("gold"), choices, "green")
    lines += _said("answered", first.get("predicted"), choices, "")
    lines += _said("remark", first.get("remark"), (), "")
    contexts = [(context, list(several)) for context, several in groupby(sample, key=lambda row: row.get("context"))]
    for context, several in contexts:
        lines += _said("media", several[0].get("media"), (), "")
        lines += _answers(several, first)
        if context:
            lines += [("asked:", "bold"), (_cut(str(context)), "")]
    return lines


def _choices(sample: Sequence[Row]) -> list[str]:
    """What could be chosen, in order: the continuations of the first prompt."""
    context = sample[0].get("context")
    return [str(row["continuation"]) for row in sample if row.get("context") == context and row.get("continuation")]


def _said(label: str, value: object, choices: Sequence[str], style: str) -> Iterator[Line]:
    """One labelled line; a number that stands for a choice as that choice."""
    from harness.decision.flips import said  # brings numpy, which help must not wait for

    if isinstance(value, str) and value:
        yield f"{f'{label}:':<{_LABEL}}{_cut(said(value, choices) or '')}", style


def _answers(rows: Sequence[Row], first: Row) -> Iterator[Line]:
    """The choices with their log-likelihoods, that of the gold marked; or the text that was written."""
    weighed = [row for row in rows if row.get("continuation") and row.get("loglikelihood") is not None]
    if weighed:
        yield "log-likelihoods (✓ expected, ← answered):", "bold"
    for place, row in enumerate(weighed):
        text = str(row["continuation"])
        labels = (str(place), text, text.strip())
        expected, answered = first.get("gold") in labels, first.get("predicted") in labels
        mark, arrow = "✓" if expected else " ", " ←" if answered else ""
        yield f"{mark} {number(row['loglikelihood']):>9}  {_cut(text.strip())}{arrow}", "green" if expected else ""
    for row in rows:
        if row not in weighed and row.get("loglikelihood") is not None:
            yield f"log-likelihood: {number(row['loglikelihood'])}", ""
        if row.get("text") is not None:
            ended = f" (ended by {row['stop']})" if row.get("stop") else ""
            yield f"wrote{ended}:", "bold"
            yield _cut(str(row["text"])), ""
        if row.get("invalid"):
            yield f"could not be used: {row['invalid']}", "yellow"


def _cut(text: str) -> str:
    """A text without its middle where it is long, and a word where a picture or sound stands; `--json` has all."""
    from harness.core.media import OBJECT  # late, as of what help must not wait for

    text = text.replace(OBJECT, "[picture or sound]")
    if len(text) <= _LONG:
        return text
    return f"{text[:_HEAD]}\n[{len(text) - _HEAD - _TAIL:,} characters left out]\n{text[-_TAIL:]}"


def _fitted(lines: Sequence[Line]) -> list[Line]:
    """The lines wrapped, and the longest text without so much of its middle that all of it fits the screen."""
    wrapped = [[(part.plain, style) for part in Text(text).wrap(output, output.width)] for text, style in lines]
    room = output.height - 2
    over = sum(map(len, wrapped)) - room
    longest = max(range(len(wrapped)), key=lambda place: len(wrapped[place]))
    part = wrapped[longest]
    if over > 0 and len(part) > _FEWEST_LINES:
        kept = max(_FEWEST_LINES, len(part) - over - 1)
        head = kept // 3
        gap = (f"[{numbered(len(part) - kept, 'line')} left out]", "dim")
        wrapped[longest] = [*part[:head], gap, *part[len(part) - kept + head :]]
    return [line for several in wrapped for line in several]
