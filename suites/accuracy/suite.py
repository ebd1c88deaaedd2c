"""Does the model choose the right answer?"""

from harness.core.tasks import Suite

__all__ = ["Accuracy"]


class Accuracy(Suite):
    """Whether the model gives the right answer, on eight published tests: six by likelihood, two by labels.

    What it measures. Common sense (PIQA, SIQA, CommonsenseQA), reading (BoolQ), knowledge (MMLU) and classification
    (IMDB), by comparing log-likelihoods: `acc` and `acc_norm` are lm-evaluation-harness's. Of models with a head for
    labels, classification (IMDB) and named entities (CoNLL-2003) by the labels themselves.

    Limits. Nothing is generated, so nothing is said about how the model answers when it writes freely. Every test is in
    English, public, and may have been in the training data. By default a sample of each is asked: read the error
    beside the value, and ask for all of it with `--limit all`.
    """

    name = "accuracy"
    title = "Accuracy"
    report = "suites.accuracy.report:AccuracyReport"
    tasks = ("piqa", "siqa", "commonsense_qa", "boolq", "mmlu", "imdb", "imdb_classifier", "conll2003_ner")
    headline = (
        ("piqa", "acc_norm"),
        ("siqa", "acc_norm"),
        ("commonsense_qa", "acc_norm"),
        ("boolq", "acc"),
        ("mmlu", "acc"),
        ("imdb", "acc"),
        ("imdb_classifier", "acc"),
    )
