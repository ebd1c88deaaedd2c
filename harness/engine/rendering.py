"""Renders conversations through a checkpoint's chat template, in a process apart that ends what takes too much.

A template is a stranger's program: it may loop, make a text without end, tell a trial from a run, look at the clock or
throw dice. Here conversations get a few seconds on the processor and bounded memory, one day stands for all of a
run, and dice fall the same each time.
"""

import io
import json
import multiprocessing
import os
import random
import signal
import sys
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from datetime import date, datetime, tzinfo
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import TemplateError
from transformers.utils import chat_template_utils
from typing_extensions import override

from harness.core.errors import ModelError
from harness.core.process.isolation import detach

__all__ = ["NONE", "UNDATED", "Message", "Renderer"]

Message = dict[str, Any]
"""A turn of a chat, with its `role` and its `content`: a text, or a list of parts for templates of models that see."""

Conversation = tuple[Sequence[Message], bool, str | None]
"""Turns, whether the last of them goes on, and the functions that can be called, as JSON."""
Answer = tuple[str, bool] | str
"""A text and whether system turns were kept, or what is wrong."""

NONE: Mapping[str, Any] = MappingProxyType({})
"""What a template is told beside its turns, by default."""
UNDATED = "2026-01-01"
"""The day of a run whose template doesn't ask for it."""
TOGETHER = 20
"""Conversations that are passed on at once, which spares waiting."""
CPU_S = 5
"""On the processor, for so many conversations; a sound template takes a thousandth of it."""
WAITED = 20
"""Times as long by the clock as on the processor, for a machine that is busy."""
MEMORY_BYTES = 10**9
CHARACTERS = 1 << 20
GROWN = 20
"""Characters that a template may make beside those, of each that it is given."""


class Renderer:
    """Makes a text of each conversation, as the tokenizer's chat template says on the day `today` (YYYY-MM-DD).

    The process that renders is started when the first conversation comes, and anew where it has ended. Only Linux can
    copy a process safely; elsewhere this one renders, without limits. `variables` are told to the template.
    """

    def __init__(self, tokenizer: Any, today: str = UNDATED, variables: Mapping[str, Any] = NONE) -> None:
        self.tokenizer = tokenizer
        self.variables = dict(variables)
        self.today = date.fromisoformat(today)
        self._apart: tuple[Any, Connection] | None = None

    def __call__(self, messages: Sequence[Message], *, goes_on: bool) -> tuple[str, bool]:
        """One conversation; see `render_all`."""
        return self.render_all([(messages, goes_on, None)])[0]

    def render_all(self, asked: Sequence[Conversation]) -> list[tuple[str, bool]]:
        """Of each conversation the text, and whether its system turns were kept.

        The text goes up to where the model's turn begins, or up to the end of a last turn that `goes_on`. As in
        lm-evaluation-harness, a template that refuses a conversation is given it once more without system turns.
        Raises `ModelError` where the template fails, or takes too much time or memory.
        """
        answers: list[tuple[str, bool]] = []
        for start in range(0, len(asked), TOGETHER):
            several: list[Conversation] = [
                (list(messages), goes_on, tools) for messages, goes_on, tools in asked[start : start + TOGETHER]
            ]
            answers += self._checked(self._ask(several) if sys.platform == "linux" else self._here(several))
        return answers

    def _here(self, asked: list[Conversation]) -> list[Answer] | str:
        with _on(self.today):
            return [_answer(self.tokenizer, self.variables, *one) for one in asked]

    def _checked(self, told: list[Answer] | str) -> list[tuple[str, bool]]:
        faults = [told] if isinstance(told, str) else [one for one in told if isinstance(one, str)]
        if faults:
            raise ModelError(
                f"the checkpoint's chat template {faults[0]}",
                fix="Leave --apply-chat-template out, or take the template from the checkpoint's publisher again",
            )
        return [one for one in told if not isinstance(one, str)]

    def _ask(self, asked: list[Conversation]) -> list[Answer] | str:
        if self._apart is None or not self._apart[0].is_alive():
            self._apart = _start(self)
        process, connection = self._apart
        try:
            connection.send(asked)
            if connection.poll(WAITED * CPU_S):
                told: list[Answer] = connection.recv()
                return told
        except (EOFError, OSError):
            process.join(1)
        exit_code = process.exitcode
        _end(process, connection)
        self._apart = None
        if exit_code in (None, -signal.SIGXCPU):
            return f"takes more than {CPU_S} seconds for a few conversations"
        return f"ends the process that renders it (exit code {exit_code})"


def _start(owner: Renderer) -> tuple[Any, Connection]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(owner, theirs, ours), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the copy takes no lock that another thread may hold
        process.start()
    theirs.close()
    weakref.finalize(owner, _end, process, ours)
    return process, ours


def _end(process: Any, connection: Connection) -> None:
    connection.close()
    with suppress(ValueError, AssertionError):  # it has been ended before, or this is a copy of the process
        process.kill()
        process.join()
        process.close()


def _serve(renderer: Renderer, connection: Connection, other: Connection) -> None:
    """Inside the copy: render what comes until nobody asks any more."""
    import resource

    detach()
    other.close()
    mapped = int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    _limit(resource.RLIMIT_AS, mapped + MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    with redirect_stderr(io.StringIO()), suppress(EOFError, OSError), _on(renderer.today):
        while True:
            asked = connection.recv()
            used = resource.getrusage(resource.RUSAGE_SELF)
            _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + CPU_S) + 1, soft=True)
            connection.send([_answer(renderer.tokenizer, renderer.variables, *one) for one in asked])
    os._exit(0)


def _limit(kind: int, most: int, *, soft: bool = False) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (least, hard if soft else least))


def _answer(
    tokenizer: Any, variables: Mapping[str, Any], messages: Sequence[Message], goes_on: bool, tools: str | None
) -> Answer:
    if tools is not None:
        variables = {**variables, "tools": json.loads(tools)}
    try:
        try:
            text, kept = _rendered(tokenizer, variables, messages, goes_on), True
        except TemplateError:
            bare = [message for message in messages if message["role"] != "system"]
            if len(bare) == len(messages):
                raise
            text, kept = _rendered(tokenizer, variables, bare, goes_on), False
    except MemoryError:
        return f"takes more than {MEMORY_BYTES / 1e9:.0f} GB of memory"
    except Exception as error:  # a stranger's template may raise whatever Python can
        return f"fails ({type(error).__name__}: {' '.join(str(error).split())[:500]})"
    given = sum(len(str(message["content"])) for message in messages) + len(tools or "")
    limit = CHARACTERS + GROWN * given
    if len(text) > limit:
        return f"makes {len(text):,} characters of one conversation; the limit is {limit:,}"
    return text, kept


def _rendered(tokenizer: Any, variables: Mapping[str, Any], messages: Sequence[Message], goes_on: bool) -> str:
    random.seed(0)
    text = str(
        tokenizer.apply_chat_template(
            list(messages),
            tokenize=False,
            add_generation_prompt=not goes_on,
            continue_final_message=goes_on,
            **variables,
        )
    )
    text.encode()  # raises for half of a surrogate pair, which is no character
    return text


@contextmanager
def _on(today: date) -> Iterator[None]:
    """Within the block it is the beginning of that day for templates, and what dice gave before is given after it."""

    class Frozen(datetime):
        @classmethod
        @override
        def now(cls, tz: tzinfo | None = None) -> "Frozen":
            return cls(today.year, today.month, today.day, tzinfo=tz)

    state, real = random.getstate(), chat_template_utils.datetime
    chat_template_utils.datetime = Frozen
    try:
        yield
    finally:
        random.setstate(state)
        chat_template_utils.datetime = real
