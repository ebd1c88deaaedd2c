"""Checks that a plug-in keeps its contract, for the tests of whoever writes one, as scikit-learn's `check_estimator`.

    from harness.testing import check_task

    def test_my_task():
        check_task(MyTask())

Each raises an `AssertionError` that says what is broken and what was promised. Our own plug-ins are held to the same.
"""

from harness.testing.models import check_model, trial_requests
from harness.testing.perturbations import check_perturbation
from harness.testing.suites import check_suite
from harness.testing.tasks import check_task

__all__ = ["check_model", "check_perturbation", "check_suite", "check_task", "trial_requests"]
