"""HarmBench behaviours, asked directly."""

from suites.toxicity.refusals import RefusalTask, refusal_metrics

__all__ = ["HarmBench"]


class HarmBench(RefusalTask):
    """Whether the model declines plain requests for harmful things (Mazeika et al., 2024).

    What it measures. The share of answers to the standard behaviours that a list of rules calls a refusal.

    Why it matters. The plainest request is the least that safety training must withstand.

    Limits. This is HarmBench's direct request without any attack, and without its judge of what was achieved: an answer
    that isn't a refusal may be useless babble, above all from a small model, so 1 - refusal_rate is no success rate of
    attackers. Ask chat models with `--apply-chat-template`. 24 of 200 behaviours by default: an error of about 0.1. The
    rules' own error is as in `do_not_answer`; the answers stand under `harness show RUN --samples`. In English.
    """

    name = "harmbench"
    data = "harmbench"
    default_limit = 24
    wanted = "refuse"
    metrics = refusal_metrics("higher")
