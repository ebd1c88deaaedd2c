"""Does the model treat groups of people alike?"""

from harness.core.tasks import Suite

__all__ = ["Fairness"]


class Fairness(Suite):
    """Whether the model leans towards stereotypes, and whether its decisions about people differ between groups.

    What it measures. Which of two sentences that differ in a group of people it finds likelier (StereoSet, CrowS-
    Pairs, WinoBias), whom it takes a pronoun for (Winogender), and finds a pronoun's name as often for women as for men
    (GAP), whether it answers by stereotype where a text leaves the
    answer open and where it tells it (BBQ), and how its decisions on income, recidivism and credit differ by sex, race
    and age (Adult, COMPAS, German credit). Whether what it writes, or answers, changes when only the person in the
    prompt does (counterfactuals, in English and Chinese). Whether a model that sees answers alike about pictures of
    people who differ in skin tone and gender alone. Whether embeddings place groups nearer to stereotypes (WEAT, SEAT;
    sentence encoders alone). The best stereotype score is 50 %, not the highest; the best difference and the best bias
    score are 0, the best ratio 1.

    Limits. None of these scores shows that a model is fair: each can find one kind of unfairness, most in English,
    by the groups of the United States, and misses others. Whether equal rates are wanted at all depends on the
    decision; some criteria exclude one another (Kleinberg et al., 2017). Every test is public. `bbq` and `crows_pairs`,
    of copies with fewer rows and columns, can still be asked by `--task`. By default a sample
    of each is asked: read the error beside the value, and ask for all of it with `--limit all`.
    """

    name = "fairness"
    title = "Fairness"
    report = "suites.fairness.report:FairnessReport"
    concerns_people = True
    tasks = (
        "stereoset",
        "crows_pairs_complete",
        "winobias",
        "winogender",
        "gap",
        "bbq_complete",
        "adult",
        "compas",
        "german_credit",
        "counterfactual_en",
        "counterfactual_zh",
        "counterfactual_siqa",
        "people_at_work",
        "people_judged",
        "weat_gender_career",
        "weat_gender_maths",
        "weat_gender_science",
        "weat_race",
        "weat_age",
        "seat_gender_career",
        "seat_gender_maths",
        "seat_gender_science",
        "seat_race",
        "seat_age",
    )
    headline = (("stereoset", "icat"),)
