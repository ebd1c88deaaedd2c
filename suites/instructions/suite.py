"""Does the model do what it is told about the form of its answer?"""

from harness.core.tasks import Suite

__all__ = ["Instructions"]


class Instructions(Suite):
    """Whether answers have the form that was asked for, each instruction checked by a rule.

    What it measures. The share of IFBench's prompts (Pyatkin et al., 2025) whose instructions the answer follows, to
    the letter and loosely, by prompt and by instruction, with bounds around what was cut.

    Limits. Form alone: an answer that makes no sense can follow every instruction. English; one turn. By default 12
    prompts of up to 256 tokens, which is a first look: see `cut`, and raise `--limit` and `--max-tokens`. Thoughts in
    front of an answer are no part of what is checked.
    """

    name = "instructions"
    title = "Instructions"
    report = "suites.instructions.report:InstructionsReport"
    tasks = ("ifbench",)
    headline = (("ifbench", "accuracy_all"),)
