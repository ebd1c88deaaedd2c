"""What a run fetches before it begins."""

import logging
from collections.abc import Sequence

from harness.suitefiles.selection import lm_eval_names
from harness.tasks.options import TaskOptions

__all__ = ["tell_what_is_fetched"]

_log = logging.getLogger(__name__)


def tell_what_is_fetched(suites: Sequence[str], tasks: Sequence[str], options: TaskOptions) -> None:
    """Say which data sets will come from a hub, before any does. Raises as `select` does."""
    names = [] if options.offline else lm_eval_names(suites, tasks)
    if not names:
        return
    # lm_eval takes seconds to import, which only its tasks should cost.
    from harness.lm_eval.outline import what_is_fetched

    if fetched := what_is_fetched(names, options):
        _log.info("fetches first, once: %s", ", ".join(fetched))
