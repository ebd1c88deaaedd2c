"""Does the model use its window?"""

from harness.core.tasks import Suite

__all__ = ["LongContext"]


class LongContext(Suite):
    """What the model finds, follows and sums up in long texts, by their length.

    What it measures. Three kinds of question about made-up texts of 512 tokens, 1,024 and so on up to the model's
    window, after RULER (Hsieh et al., 2024): a number that is hidden at some depth, variables that refer to each other,
    and the commonest words of a list. A text stands in front of all questions about it, and is read once for them.

    Limits. The texts are generated anew from the seed: no model has seen them, and they are like no real document. With
    default sizes the questions are about texts of up to 4,096 tokens, whatever the window; `--limit all` asks about
    twenty of each length up to it, and `--limit 100` about a few of each. Answers are written: `cut` and `unparsed` say
    how many of them can't be judged.
    """

    name = "long_context"
    title = "Long context"
    report = "suites.long_context.report:LongContextReport"
    tasks = ("needles", "variable_tracking", "common_words")
    headline = (
        ("needles", "accuracy_all"),
        ("variable_tracking", "accuracy_all"),
        ("common_words", "accuracy_all"),
    )
