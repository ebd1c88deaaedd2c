"""The cases: what evaluations of responsibility ask again and again."""

import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from statistics import fmean

from benchmarks.case import SEED, Answers, Builder, Case, choice_case, distinct, few_shot
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling
from harness.core.tasks import Row, Sample
from harness.tasks.choices import MultipleChoice
from harness.tasks.lettered import gold_option, lettered_options
from suites.accuracy.commonsense_qa import CommonsenseQA
from suites.accuracy.mmlu import MMLU
from suites.accuracy.piqa import PIQA
from suites.long_context.haystack import WORDS_PER_TOKEN, filler, spread

__all__ = ["BUILDERS", "MEMORY"]

Rows = Sequence[Sequence[Row]]

MEMORY = "commonsense_qa"
"""The case whose memory is measured."""
POOL = 200
"""Samples from which exemplars are drawn."""
PASSAGE_WORDS = 90
DOCUMENT_WORDS = (150, 600)
PROMPT_WORDS = 40
INSTRUCTION = (
    "You are a careful editor of a news agency. Continue the report below in plain words, keep to what is known, name "
    "no source that isn't named, and take no side.\n\nReport: "
)
DRAWS = 8
NEEDLES = 10
NEEDLE_TOKENS = 2048
SWAPS = {"he": "she", "He": "She", "his": "her", "His": "Her", "himself": "herself"}


class OpenBookQA(MultipleChoice):
    """Elementary science (Mihaylov et al., 2018), for these measurements alone."""

    name = "openbookqa"

    def question(self, row: Row) -> str:
        """The beginning of the sentence that the choices end."""
        return str(row["question"]).strip()

    def choices(self, row: Row) -> Sequence[str]:
        """The four endings."""
        return lettered_options(row["options"])

    def gold(self, row: Row) -> int:
        """The index of the right ending."""
        return gold_option(lettered_options(row["options"]), row["answer"])


def commonsense_qa(count: int, data: Rows) -> Case:
    """5-shot: short questions, five choices of a few tokens."""
    task = CommonsenseQA()
    return choice_case(task, drawn(task, few_shot(task, data[0], count=count + POOL, num_fewshot=0), count, 5))


def commonsense_qa_fixed(count: int, data: Rows) -> Case:
    """The same behind five exemplars that all questions share, as in the suites of this package."""
    task = CommonsenseQA()
    return choice_case(task, few_shot(task, data[0], count=count, num_fewshot=5))


def piqa(count: int, data: Rows) -> Case:
    """5-shot: two solutions that often begin alike."""
    task = PIQA()
    return choice_case(task, drawn(task, few_shot(task, data[0], count=count + POOL, num_fewshot=0), count, 5))


def openbookqa(count: int, data: Rows) -> Case:
    """5-shot: four endings of a sentence."""
    task = OpenBookQA()
    return choice_case(task, drawn(task, few_shot(task, data[0], count=count + POOL, num_fewshot=0), count, 5))


def drawn(task: MultipleChoice, samples: Sequence[Sample], count: int, num_fewshot: int) -> list[Sample]:
    """The first `count` samples, each behind exemplars of its own from the rest, as lm-eval draws them by default."""
    asked, pool = samples[:count], samples[count:]
    found = []
    for sample in asked:
        shown = Random(f"{SEED}:{sample.id}").sample(pool, num_fewshot)
        answered = [f"{one.prompt} {task.answer(one)}" for one in shown]
        found.append(replace(sample, prompt="\n\n".join([*answered, sample.prompt])))
    return found


def mmlu(count: int, data: Rows) -> Case:
    """5-shot, the choices are letters: lm-eval reads each question once here, too."""
    task = MMLU()
    return choice_case(task, few_shot(task, data[0], count=count, num_fewshot=5))


def long_contexts(count: int, data: Rows) -> Case:
    """Passages with questions, five choices of two words or more, 3-shot: 400 to 700 tokens shared by no two questions.

    lm-eval reads choices of a single token together; that shortcut is `mmlu`'s to show.
    """
    task, (questions, documents) = CommonsenseQA(), data
    everything = few_shot(task, questions, count=len(questions), num_fewshot=0)
    wordy = [sample for sample in everything if all(" " in choice.strip() for choice in sample.choices)]
    passages = (words[:PASSAGE_WORDS] for row in documents if len(words := row["document"].split()) >= PASSAGE_WORDS)
    read = [
        replace(sample, prompt=f"Passage: {' '.join(passage)}\n{sample.prompt}")
        for sample, passage in zip(wordy, passages, strict=False)
    ]
    return choice_case(task, drawn(task, read, count, 3))


def robustness_family(count: int, data: Rows) -> Case:
    """Each question clean and in five noisy variants, behind the same five exemplars."""
    task = CommonsenseQA()
    samples = few_shot(task, data[0], count=count, num_fewshot=5)
    return choice_case(task, [variant for sample in samples for variant in noisy(sample)])


def noisy(sample: Sample) -> list[Sample]:
    """The sample as it is, then with its question shouted, mistyped twice, spaced widely, and with a remark."""
    before, _, last = sample.prompt.rpartition("Question: ")
    question, _, after = last.rpartition("\nAnswer:")
    rng = Random(f"{SEED}:{sample.id}")
    swaps = [i for i in range(len(question) - 1) if question[i] != question[i + 1]]
    at, gap = rng.choice(swaps), rng.randrange(len(question))
    texts = (
        question,
        question.upper(),
        question[:at] + question[at + 1] + question[at] + question[at + 2 :],
        question[:gap] + question[gap + 1 :],
        question.replace(" ", "  "),
        f"{question} Be quick.",
    )
    return [
        replace(sample, id=f"{sample.id}/{index}", prompt=f"{before}Question: {text}\nAnswer:{after}")
        for index, text in enumerate(texts)
    ]


def counterfactual_pairs(count: int, data: Rows) -> Case:
    """Sentences that speak of a man, and the same sentences of a woman; every token is a target."""
    pairs = []
    for row in data[0]:
        for sentence in re.split(r"(?<=\.)\s+", row["document"]):
            swapped = re.sub(r"\w+", lambda word: SWAPS.get(word[0], word[0]), sentence)
            if swapped != sentence and 12 <= len(sentence.split()) <= 40:
                pairs.append([Loglikelihood(context="", continuation=text) for text in (sentence, swapped)])
                break
    pairs = pairs[:count]

    def score(answers: Answers) -> float:
        values = [[answers[one.id].loglikelihood or 0.0 for one in pair] for pair in pairs]
        return fmean(original - swapped for original, swapped in values)

    requests = distinct(one for pair in pairs for one in pair)
    return Case(requests=requests, metric="mean difference in nats", score=score)


def rolling_perplexity(count: int, data: Rows) -> Case:
    """Whole articles, each token predicted once."""
    low, high = DOCUMENT_WORDS
    texts = [row["document"] for row in data[0] if low <= len(row["document"].split()) <= high][:count]
    requests = [LoglikelihoodRolling(text=text) for text in texts]

    def score(answers: Answers) -> float:
        return -sum(answers[one.id].loglikelihood or 0.0 for one in requests) / sum(len(one.split()) for one in texts)

    return Case(requests=distinct(requests), metric="nats a word", score=score)


def generation(count: int, data: Rows) -> Case:
    """Greedy, 64 tokens, behind one instruction."""
    return _written([GenerateUntil(context=prompt, max_tokens=64) for prompt in _reports(count, data)])


def repeated_draws(count: int, data: Rows) -> Case:
    """Eight texts after each prompt, the first of them greedy, to the end of their paragraph: 1 to 64 tokens."""
    return _written(
        [
            GenerateUntil(context=prompt, max_tokens=64, until=("\n",), temperature=0.8 if draw else 0.0, seed=draw)
            for prompt in _reports(count, data)
            for draw in range(DRAWS)
        ]
    )


def _reports(count: int, data: Rows) -> list[str]:
    starts = [words[:PROMPT_WORDS] for row in data[0] if len(words := row["document"].split()) >= PROMPT_WORDS][:count]
    return [INSTRUCTION + " ".join(start) for start in starts]


def _written(requests: Sequence[GenerateUntil]) -> Case:
    def score(answers: Answers) -> float:
        return fmean(len((answers[one.id].text or "").split()) for one in requests)

    return Case(requests=distinct(requests), metric="words a text", score=score)


def needles(count: int, _data: Rows) -> Case:
    """Ten numbers at ten depths of a text of 2,048 tokens, each asked for: RULER's needles with several keys."""
    asked: dict[GenerateUntil, str] = {}
    for number in range(count):
        rng = Random(f"{SEED}:needles:{number}")
        hidden = {f"box {index}": str(rng.randrange(10**6, 10**7)) for index in rng.sample(range(100), NEEDLES)}
        sentences = [
            (step / (NEEDLES - 1), f"The number of {name} is {one}.") for step, (name, one) in enumerate(hidden.items())
        ]
        text = spread(filler(rng, int(NEEDLE_TOKENS * WORDS_PER_TOKEN)), sentences)
        for name, right in hidden.items():
            context = f"{text}\n\nQuestion: What is the number of {name}?\nAnswer: The number of {name} is"
            asked[GenerateUntil(context=context, max_tokens=16, until=("\n",))] = right

    def score(answers: Answers) -> float:
        return fmean(right in (answers[one.id].text or "") for one, right in asked.items())

    return Case(requests=distinct(asked), metric="acc", score=score)


_LISTED = (
    Builder(
        name=MEMORY,
        title="CommonsenseQA, 5-shot",
        data=("commonsense_qa",),
        build=commonsense_qa,
        small=60,
        full=60,
        wanted=4,
    ),
    Builder(
        name="commonsense_qa_fixed",
        title="CommonsenseQA, 5-shot, fixed exemplars",
        data=("commonsense_qa",),
        build=commonsense_qa_fixed,
        small=12,
        full=60,
    ),
    Builder(name="piqa", title="PIQA, 5-shot", data=("piqa",), build=piqa, small=16, full=60, wanted=None),
    Builder(name="openbookqa", title="OpenBookQA, 5-shot", data=("openbookqa",), build=openbookqa, small=16, full=60),
    Builder(
        name="long_contexts",
        title="Long contexts, 3-shot, 5 choices",
        data=("commonsense_qa", "xsum"),
        build=long_contexts,
        small=10,
        full=10,
        wanted=7,
    ),
    Builder(
        name="robustness_family",
        title="Robustness family, 6 variants, 5-shot",
        data=("commonsense_qa",),
        build=robustness_family,
        small=4,
        full=20,
        wanted=12,
    ),
    Builder(name="mmlu", title="MMLU letters, 5-shot", data=("mmlu",), build=mmlu, small=12, full=50, wanted=1.3),
    Builder(
        name="counterfactual_pairs",
        title="Counterfactual pairs of sentences",
        data=("xsum",),
        build=counterfactual_pairs,
        small=24,
        full=100,
    ),
    Builder(
        name="rolling_perplexity",
        title="Rolling perplexity of articles",
        data=("xsum",),
        build=rolling_perplexity,
        small=8,
        full=32,
        wanted=1.1,
        hf_batch_size=1,
    ),
    Builder(
        name="generation",
        title="Greedy generation of 64 tokens",
        data=("xsum",),
        build=generation,
        small=64,
        full=64,
        wanted=1.5,
        hf_batch_size=16,
    ),
    Builder(
        name="repeated_draws",
        title="Eight texts a prompt, of 1 to 64 tokens",
        data=("xsum",),
        build=repeated_draws,
        small=16,
        full=32,
        wanted=3,
        hf_batch_size=16,
    ),
    Builder(
        name="needles",
        title="Needles at ten depths of 2,048 tokens",
        data=(),
        build=needles,
        small=1,
        full=4,
        wanted=5,
        hf_batch_size=1,
    ),
)
BUILDERS = {builder.name: builder for builder in _LISTED}
