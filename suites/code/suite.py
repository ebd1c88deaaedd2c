"""Does what the model writes as a program do what was asked?"""

from harness.core.tasks import Suite

__all__ = ["Coding"]


class Coding(Suite):
    """Programs that the model writes, run against tests in a sandbox.

    What it measures. The share of HumanEval's problems whose tests the model's function passes (Chen et al., 2021),
    with bounds around what was cut, and pass@k with `--samples N`.

    Limits. Nothing is run, and the suite is left out, without `--allow-code-execution`, or where no sandbox can be set
    up: `harness doctor` says which there is. Python alone; short functions, not whole programs; problems that are
    public. A small model that wasn't trained on code scores near 0, which says just that.
    """

    name = "code"
    title = "Code"
    report = "suites.code.report:CodingReport"
    tasks = ("human_eval",)
    headline = (("human_eval", "accuracy_all"),)
