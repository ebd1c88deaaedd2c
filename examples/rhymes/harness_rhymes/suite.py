"""The suite of rhymes."""

from harness.core.tasks import Suite


class Rhymes(Suite):
    """How well a model rhymes.

    Its one score is the share of couplets that it ends with the word that rhymes; higher is better, and 0.5 is chance.
    """

    name = "rhymes"
    title = "Poetry of the model"
    report = "harness_rhymes.report:RhymesReport"
    tasks = ("couplets",)
    headline = (("couplets", "rhyme_rate"),)
