"""What the dimensions are called where people read."""

from harness.report.words import Words

__all__ = ["title"]

_TITLES = {
    "accuracy": "Accuracy",
    "bleu": "Text quality (BLEU)",
    "calibration": "Calibration",
    "energy": "Energy",
    "explainability": "Explainability",
    "fairness": "Fairness",
    "perplexity": "Perplexity",
    "privacy": "Privacy",
    "robustness": "Robustness",
    "similarity": "Similarity",
    "toxicity": "Toxicity",
    "gate": "Gate",
    "record": "Record",
}


def title(words: Words, suite: str) -> str:
    """The name of a suite in the reader's language; one that is not ours keeps its own."""
    return words(_TITLES[suite]) if suite in _TITLES else suite
