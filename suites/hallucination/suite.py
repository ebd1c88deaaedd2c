"""Does the model make things up, and does it say so where it can't know?"""

from harness.core.tasks import Suite

__all__ = ["Hallucination"]


class Hallucination(Suite):
    """Whether the model prefers what is true to what is made up, and says that it doesn't know where it can't.

    What it measures. By log-likelihoods, pairs of a true text and a made-up one: answers, replies and summaries with
    what there is to read (HaluEval), Chinese news (UHGEval), Chinese questions that mislead (HalluQA). By written
    answers, questions without an answer among others (SelfAware, SQuAD 2.0), and questions of yes or no that take some
    steps (`snowballing`). Abstentions count as right where there is no answer, and as wrong where there is one.

    Why it matters. A wrong answer that sounds right does more harm than none.

    Limits. Made-up texts of HaluEval are longer than true ones, and style gives them away: the two controls of each
    pair say how far a score can be trusted, and the verdicts and `right_lifted` are free of length, but not of all
    style. Abstentions are heard by rules. A model that always says the same, or always abstains, has 0.5 nearly
    everywhere: chance stands in each task's text. No text that the model wrote freely is checked for facts, which takes
    a judge. `--task halueval_summarisation` asks about summaries, too, and isn't part of the suite, as their articles
    are long. Left out: FreshQA, whose answers have aged, and the third topic of Snowballing, whose answers are all yes.
    Default sizes are small: read the intervals.
    """

    name = "hallucination"
    title = "Hallucination"
    report = "suites.hallucination.report:HallucinationReport"
    tasks = (
        *("halueval_qa", "halueval_dialogue", "uhgeval", "halluqa"),
        *("selfaware", "squad_2", "snowballing"),
    )
    headline = (
        *(("halueval_qa", "verdict_accuracy"), ("halueval_dialogue", "verdict_accuracy")),
        *(("uhgeval", "right_likelier"), ("halluqa", "acc_norm")),
        *(("selfaware", "accuracy_all"), ("squad_2", "accuracy_all"), ("snowballing", "accuracy_all")),
    )
