"""What makes a model decide, on tasks of the suite `accuracy`."""

from suites.accuracy.commonsense_qa import CommonsenseQA
from suites.accuracy.imdb_classifier import IMDBClassifier
from suites.explainability.wrapper import AttributionTask

__all__ = ["AttributionCommonsenseQA", "AttributionIMDBClassifier"]


class AttributionCommonsenseQA(AttributionTask):
    """How well a model's answers to CommonsenseQA (Talmor et al., 2019) can be explained by the words of the question.

    What it measures. Five methods give each word a worth for the answer that the model finds likeliest of five, right
    or wrong; then words are taken out of the question, the most important first, and the probability of that answer
    among the five is read again. `--task attribution:TASK` does the same with any task of multiple choice or
    classification, those of lm-evaluation-harness (`attribution:lm-eval:NAME`) and your own among them.

    Why it matters. These are short questions with short answers, which hang on a few words that people can name: a
    method that doesn't find them here won't in a contract.

    Limits. A small model is hardly above chance in this test; what is explained is what it says, not what is right.
    Ten questions of some 13 words by default: an error of about 0.06 in the lift. In English.
    """

    def __init__(self) -> None:
        super().__init__(CommonsenseQA())
        self.name = "attribution_commonsense_qa"


class AttributionIMDBClassifier(AttributionTask):
    """How well a classifier's labels of film reviews (IMDB; Maas et al., 2011) can be explained by parts of the review.

    What it measures. Five methods give each part of a review a worth for the label that the classifier prefers; then
    parts are taken out, the most important first, and the label's probability is read again. A review of more than 20
    words is explained by 20 runs of words of nearly equal number.

    Why it matters. Classifiers decide about people's texts all day, and are asked for reasons.

    Limits. Runs of a dozen words are coarse: a run may hold one word that matters. A review longer than the model's
    window is explained as far as it is read. Ten reviews by default. In English.
    """

    def __init__(self) -> None:
        super().__init__(IMDBClassifier())
        self.name = "attribution_imdb_classifier"
