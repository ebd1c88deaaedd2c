"""HumanEval: functions that a model completes, and that are run against their tests."""

from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Self

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.requests import Response
from harness.core.tasks import Row, Sample
from harness.sandbox import Limits, Outcome, Program, run_program
from harness.tasks.extraction import Extracted
from harness.tasks.sampling import Sampling
from harness.tasks.written import Draw, Written
from suites.code.programs import completion, program_in

__all__ = ["HumanEval"]

LIMITS = Limits()
STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
ASKED = "Complete this Python function. Answer with the whole function in one block of code.\n\n```python\n{}\n```"


class HumanEval(Written):
    """The function that a signature and a docstring ask for, run against its tests (Chen et al., 2021).

    What it measures. Whether the program that the model writes passes all tests of a problem. A base model goes on
    where the docstring ends, up to the first line that begins something else; in a chat the last block of code that
    defines the function counts. `--samples N` gives pass@k for all k up to N.

    Why it matters. A program is right or it isn't, whatever it looks like, and this is the test that everybody reports.

    Limits. It needs `--allow-code-execution`: programs run in a sandbox, with Python's standard library alone, 3 s on
    the processor and 512 MB. Tests call the function from another process and see plain values, so a program can't say
    itself that it passed; an object of a class of its own doesn't pass, though it may in other harnesses. The problems
    are public since 2021, and so in most training data. Tests are few (8 a problem on average): wrong programs pass.
    20 problems by default: an error of up to 0.11.
    """

    name = "human_eval"
    data = "human_eval"
    default_limit = 20
    supports_fewshot = False
    executes_code = True
    until: Sequence[str] = STOPS
    max_tokens = 256
    definition = MappingProxyType({"limits": asdict(LIMITS)})
    in_chat = False

    @override
    def use_sampling(self, sampling: Sampling) -> None:
        """Without a majority: hardly two programs are the same text."""
        super().use_sampling(sampling)
        self.metrics = tuple(metric for metric in self.metrics if metric.name != "majority")

    @override
    def suited(self, checkpoint: Checkpoint) -> Self:
        """In a chat, asked for the whole function."""
        if not checkpoint.has_chat_template:
            return self
        other = copy(self)
        other.in_chat, other.until = True, ()
        return other

    @override
    def sample(self, row: Row) -> Sample:
        beginning = str(row["prompt"])
        fields = {name: str(row[name]) for name in ("entry_point", "test")}
        return Sample(
            id="",
            prompt=ASKED.format(beginning.rstrip()) if self.in_chat else beginning,
            gold=beginning + str(row["canonical_solution"]),
            fields={"beginning": beginning, **fields},
        )

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The publisher's, such as HumanEval/0."""
        return str(row["task_id"])

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """The program, from the beginning of its first line."""
        beginning = sample.fields["beginning"]
        if self.in_chat:
            return program_in(beginning, sample.fields["entry_point"], text)
        return completion(beginning, text)

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        """Whether it passes all tests. Raises `SandboxError` where it can't be run safely."""
        return self._run(sample, answer).passed

    @override
    def _draw(self, sample: Sample, response: Response) -> Draw:
        """With what the tests said, for people to see why a program counted as it did."""
        draw = super()._draw(sample, response)
        if draw.outcome != "wrong" or draw.found is None:
            return draw
        outcome = self._run(sample, draw.found.answer)
        return replace(draw, found=replace(draw.found, by=f"{draw.found.by}; {outcome.ending}: {outcome.detail}"))

    def _run(self, sample: Sample, source: str) -> Outcome:
        entry_point = sample.fields["entry_point"]
        return _run(
            Program(
                source=source,
                entry_point=entry_point,
                tests=f"{sample.fields['test']}\ncheck({entry_point})\n",
                given=sample.fields["beginning"],
            )
        )


@lru_cache(maxsize=1024)
def _run(program: Program) -> Outcome:
    """Run it once, however often it was drawn."""
    return run_program(program, limits=LIMITS)
