"""Tasks of the suites `accuracy` and `perplexity`, by strata."""

from harness.tasks.choices import MultipleChoice
from harness.tasks.rolling import WholeText
from suites.accuracy.boolq import BoolQ
from suites.accuracy.commonsense_qa import CommonsenseQA
from suites.accuracy.piqa import PIQA
from suites.accuracy.siqa import SIQA
from suites.long_tail.wrapper import StrataTask
from suites.perplexity.wikitext_sentences import WikiTextSentences

__all__ = ["BoolQStrata", "CommonsenseQAStrata", "PIQAStrata", "SIQAStrata", "WikiTextStrata"]


def _stratified(inner: type[MultipleChoice | WholeText], name: str, shown: str) -> type[StrataTask]:
    """The task by strata, under a name of its own."""

    def build(self: StrataTask) -> None:
        StrataTask.__init__(self, inner())
        self.name = f"strata_{inner.name}"

    text = f"""How the model does on what is common and on what is rare in {shown}.

    What it measures. The score of `{inner.name}` in each third of its texts, by the frequency of their words, by length
    and by how new their words are, and by how much the last third is worse than the first. Samples, prompts and default
    size are those of `{inner.name}`, so a run that asks both asks once. `--task strata:TASK` does it with another.

    Why it matters. A mean over a test set is that of what is common there. Users come with what is rare.

    Limits. Those of `{inner.name}`. Frequencies are those of words in many sorts of text (wordfreq), not of what this
    model has read. Rarer and longer questions are also other questions. With a hundred samples a third has 33: gaps of
    less than 0.2 can't be seen.
    """
    return type(name, (StrataTask,), {"__module__": __name__, "__init__": build, "__doc__": text})


PIQAStrata = _stratified(PIQA, "PIQAStrata", "PIQA")
SIQAStrata = _stratified(SIQA, "SIQAStrata", "Social IQa")
CommonsenseQAStrata = _stratified(CommonsenseQA, "CommonsenseQAStrata", "CommonsenseQA")
BoolQStrata = _stratified(BoolQ, "BoolQStrata", "BoolQ")
WikiTextStrata = _stratified(WikiTextSentences, "WikiTextStrata", "single sentences of Wikipedia")
