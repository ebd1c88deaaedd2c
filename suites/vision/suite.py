"""Does the model see what a picture shows?"""

from harness.core.tasks import Suite

__all__ = ["Vision"]


class Vision(Suite):
    """Whether the model answers questions about pictures, and whether it looks at them for it.

    What it measures. Handwritten digits, easy-VQA, emoji with names in fourteen languages, and pictures that are drawn
    from the run's seed: shapes to count and to place, objects that are there or not (after POPE), charts and tables,
    and codes to write down. Choices are compared by log-likelihood. Each of these questions is asked again with a grey
    picture: `acc_blind` is what a model knows without seeing, `multimodal_gain` what seeing adds.

    Why it matters. Many questions about pictures can be answered without them, and a score that doesn't show it
    measures something else.

    Limits. No photographs: what is drawn is exact and new, and simpler than what people ask about. Default sizes are
    small: read the intervals. Models that compare pictures with texts have `matched_digits` and `matched_emoji`, which
    others don't, and don't enter the suite's score. A model that reads texts alone has none of this.
    """

    name = "vision"
    title = "Vision"
    report = "suites.vision.report:VisionReport"
    tasks = (
        *("digits", "easy_vqa", "emoji_names", "drawn_scenes", "object_presence", "drawn_figures", "text_lines"),
        *("matched_digits", "matched_emoji"),
    )
    headline = (
        *(("digits", "acc"), ("easy_vqa", "acc"), ("emoji_names", "acc"), ("drawn_scenes", "acc")),
        *(("object_presence", "acc"), ("drawn_figures", "acc"), ("text_lines", "accuracy_all")),
    )
