"""Does the model know Chinese?"""

from harness.core.tasks import Suite

__all__ = ["Chinese"]


class Chinese(Suite):
    """Whether the model knows Chinese: idioms, sayings, spelling, how well it predicts Chinese texts, and stereotypes.

    What it measures. By log-likelihoods, which of four idioms belongs into a sentence (after ChID) or has a given
    meaning, which ending belongs to a riddle (xiehouyu), which of two sentences is spelt right (SIGHAN 2015);
    perplexity and bits per byte of statutes. Choices are equally long, and beside each score stands a control that
    doesn't read the question: only what lies above it was understood. And whether stereotypes of China decide answers
    that the text leaves open (`chinese_contexts`, by BBQ's scores). Whether a short review is favourable
    (`chinese_reviews`).

    Limits. All are made from what packages hold: knowledge of words, not of the world. No package that was looked into
    holds a large gold set of examinations in Chinese. Online, lm-evaluation-harness has C-Eval and CMMLU (`--task
    lm-eval:ceval-valid`, `--task lm-eval:cmmlu`) and ZhoBLiMP (`lm-eval:zhoblimp`); those of CLUE take a suite file of
    your own. The standard of mainland China, in simplified characters. Default sizes are small: read the intervals.
    """

    name = "chinese"
    title = "Chinese"
    report = "suites.chinese.report:ChineseReport"
    tasks = (
        *("idiom_cloze", "idiom_meanings", "xiehouyu", "sighan_pairs"),
        *("chinese_statutes", "chinese_contexts", "chinese_reviews"),
    )
    headline = (
        *(("idiom_cloze", "acc"), ("idiom_meanings", "acc")),
        *(("xiehouyu", "acc"), ("sighan_pairs", "acc")),
    )
