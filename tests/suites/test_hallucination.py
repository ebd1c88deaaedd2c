"""True and made-up texts compared as by hand; abstentions heard as people hear them; twins that are true."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import networkx
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from harness.core import registry
from harness.core.errors import DataError
from harness.core.requests import Response
from harness.core.tasks import TaskSettings
from harness.data import fetch
from harness.data.passages import SquadSource
from suites.hallucination.abstention import abstains
from suites.hallucination.answerable import ABSTAINED, holds_reference
from suites.hallucination.pairs import PAIRED, paired_scores
from suites.hallucination.snowballing import is_prime, reached, twin_of

ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)
NATS = st.floats(-500, -0.01)


@cache
def rows_of(name):
    return fetch(name).rows


def settings(limit, seed=0):
    return TaskSettings(limit=limit, num_fewshot=0, seed=seed)


def written(text, stop="end"):
    return Response(request_id="", text=text, stop=stop, token_count=5)


def values(task, sample, text, stop="end"):
    return {one.metric: one.value for one in task.score(sample, [written(text, stop)])}


def test_a_pair_is_compared_as_by_hand():
    """Yes over no: ln(.6/.4) of the true text and ln(.7/.3) of the other: both are called true, in the wrong order."""
    verdicts = [math.log(share) for share in (0.6, 0.4, 0.7, 0.3)]
    found = paired_scores([-4.0, -9.0, -12.0, -10.0, *verdicts], ["Rome", "It was founded in Milan."])
    assert {name: value for name, (value, *_) in found.items()} == {
        "right_likelier": 1.0,  # -4 against -9
        "right_likelier_norm": 0.0,  # -1 a character against -0.375
        "right_lifted": 1.0,  # 8 nats against 1
        "right_likelier_blind": 0.0,  # -12 against -10
        "right_shorter": 1.0,
        "verdict_accuracy": 0.5,
        "verdict_ranking": 0.0,
    }
    assert not any(tie for _, tie, *_ in found.values())


@given(st.lists(NATS, min_size=8, max_size=8), st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9))
def test_swapping_the_texts_turns_every_comparison_round(nats, true, made_up):
    turned = [nats[1], nats[0], nats[3], nats[2], *nats[6:], *nats[4:6]]
    here, there = paired_scores(nats, [true, made_up]), paired_scores(turned, [made_up, true])
    assert {name: value for name, (value, *_) in here.items()} == pytest.approx(
        {name: 1 - value for name, (value, *_) in there.items()}
    )
    assert set(here) == {metric.name for metric in PAIRED}


def test_always_yes_is_right_by_half_and_knows_nothing():
    found = paired_scores([-1.0, -1.0, -1.0, -1.0, -0.1, -3.0, -0.1, -3.0], ["ab", "cd"])
    assert {value for value, *_ in found.values()} == {0.5}
    assert found["verdict_ranking"][1]


@pytest.mark.parametrize("name", ["halueval_qa", "halueval_dialogue", "halueval_summarisation", "uhgeval"])
def test_blind_prompts_keep_the_place_and_lose_what_is_to_be_read(name):
    task = registry.task(name)
    rows = rows_of(name)[:6]
    for row, sample in zip(rows, task.samples(rows, ALL), strict=True):
        requests = task.requests(sample)
        read, blind = requests[0].context, requests[2].context
        assert read.endswith(blind)
        known = row.get("knowledge") or row.get("document") or row.get("newsBeginning")
        assert known.strip() in read
        assert known.strip() not in blind
        for index, text in enumerate(sample.choices):
            asked = requests[4 + 2 * index].context
            assert asked.startswith(f"{read}{requests[index].continuation}")
            assert requests[index].continuation.strip() == text
        assert sample.choices[0] != sample.choices[1]


def test_what_the_catalogue_says_of_length_is_so():
    """The control that asks no model, over the whole set, equals what `dropped` tells."""
    task = registry.task("halueval_qa")
    samples = task.samples(rows_of("halueval_qa"), ALL)
    shorter = [paired_scores([0.0] * 8, sample.choices)["right_shorter"][0] for sample in samples]
    assert np.mean(shorter) == pytest.approx(0.97, abs=0.005)


def test_halluqa_is_guessed_once_in_five_times():
    task = registry.task("halluqa")
    samples = task.samples(rows_of("halluqa"), ALL)
    assert np.mean([1 / len(sample.choices) for sample in samples]) == pytest.approx(0.22, abs=0.005)
    assert all(len(set(sample.choices)) == len(sample.choices) for sample in samples)
    asked = task.requests(samples[0])
    assert [one.continuation for one in asked] == list(samples[0].choices)
    found = task.score(samples[0], [Response(request_id="", loglikelihood=-1.0 - i) for i in range(len(asked))])
    assert {one.metric: one.value for one in found}["acc"] == 1


ABSTAINING = """
I don't know.
I do not know the answer to that.
Unanswerable
unanswerable.
Unknown.
The answer is unknown.
Nobody knows.
No one really knows what happens after death.
It is impossible to say.
There is no way to know that.
There is no definitive answer to this question.
As an AI, I don't have personal opinions.
I can't answer that.
I\u2019m not sure.
It cannot be determined from the text.
The passage does not mention the year.
It is not mentioned in the text.
Not mentioned.
That is a matter of opinion.
There's no scientific consensus on this.
There isn't enough information to say.
This remains unknown to science.
N/A
We don't know yet.
I'm unable to determine this.
我不知道。
不知道
这个问题无法回答。
没有人知道。
目前尚无定论，没有确切的答案。
文中没有提到。
信息不足，无法判断。
未知
我无法预测未来。
这个问题没有标准答案。
是否存在外星人仍是未知。
""".strip().splitlines()

ANSWERING = """
Paris
The Unknown Soldier
I don't know, but I think it is Rome.
I'm not sure, but it's probably 1912.
He was an unknown painter until 1890.
The Cure's song is called "Lovesong".
Yes
No
No information technology existed then.
The answer is 42.
The uncertainty principle
It is mentioned in the Bible.
He did not know his father.
She said she could not answer.
In no particular order, red and blue.
众所周知，北京是中国的首都。
无法无天
我不知道，但我猜是巴黎。
未知数是三
""".strip().splitlines()


MORE_ABSTAINING = [
    *(
        "**unanswerable**",
        '"Unanswerable"',
        "Unanswerable (the text only covers 1066).",
        "Don't know.",
        "Cannot determine.",
    ),
    *("I have no idea.", "Scientists don't know.", "The answer is not in the text.", "There is no mention of this."),
    *("The passage does not discuss this.", "The answer cannot be found in the text.", "答案未知。", "我不太清楚"),
]
IN_DOUBT = [
    *("Rome, though I'm not entirely sure.", "It is Rome, but I can't say why.", "I'm not sure, it might be 1066."),
    *("I don't know. Rome?", "I do not know the date, however, according to the text, it was 1066."),
]


@pytest.mark.parametrize("text", [*ABSTAINING, *MORE_ABSTAINING])
def test_who_says_that_it_is_not_known_abstains(text):
    assert abstains(text)


@pytest.mark.parametrize("text", [*ANSWERING, *IN_DOUBT, "", " \n"])
def test_who_answers_or_says_nothing_does_not(text):
    assert abstains(text) is None


def test_an_abstention_behind_the_answer_is_none():
    assert abstains("Paris. " + "It lies on the Seine. " * 12 + "I don't know more.") is None


@pytest.mark.parametrize(
    ("answer", "references", "right"),
    [
        ("It was the Normans.", ["normans"], True),
        ("france", ["France", "in France"], True),
        ("Normandy", ["Norman"], False),
        ("10th and 11th centuries", ["the 10th and 11th centuries"], True),
        ("U.S.A.", ["USA"], True),
        ("Paris " * 41, ["Paris"], False),
        ("something", ["the"], False),
        ("", ["Paris"], False),
    ],
)
def test_an_answer_holds_a_reference_as_whole_words(answer, references, right):
    assert holds_reference(answer, references) is right


@pytest.mark.parametrize("name", ["selfaware", "squad_2"])
def test_abstention_is_right_where_there_is_no_answer_and_only_there(name):
    task = registry.task(name)
    samples = task.samples(rows_of(name), settings(20))
    assert Counter(sample.gold == ABSTAINED for sample in samples) == {True: 10, False: 10}
    for sample in samples:
        references = sample.fields["references"]
        declined, guessed = values(task, sample, " I don't know."), values(task, sample, " Certainly zxqv.")
        assert declined["accuracy_all"] == (not references)
        assert guessed["accuracy_all"] == 0
        assert ("abstention_rate" in declined) == (not references)
        if references:
            assert (declined["wrong_abstention"], guessed["wrong_abstention"]) == (1, 0)
            assert values(task, sample, f" {references[0]}")["accuracy_answerable"] == 1
        else:
            assert (declined["abstention_rate"], guessed["abstention_rate"]) == (1, 0)
        cut = values(task, sample, " I don't know", stop="length")
        assert cut["cut"] == 1
        assert cut.get("abstention_rate", 0) == 0


def test_always_abstaining_gives_what_the_pages_say():
    """Right on half; recall 1 and precision 1/2 make an F1 of 2/3. Never abstaining gives 0."""
    task = registry.task("squad_2")
    samples = task.samples(rows_of("squad_2"), settings(20))
    metrics = {metric.name: metric for metric in task.metrics}

    def reduced(name, text):
        scores = [one for sample in samples for one in task.score(sample, [written(text)]) if one.metric == name]
        return metrics[name].reduce(scores, Random(0)).value

    assert reduced("accuracy_all", "unanswerable") == 0.5
    assert reduced("abstention_f1", "unanswerable") == pytest.approx(2 / 3)
    assert reduced("abstention_f1", "zxqv") == 0


def test_no_question_is_asked_that_the_data_contradict():
    rows, asked = rows_of("squad_2"), {}
    task = registry.task("squad_2")
    for index, row in enumerate(rows):
        if index not in task.excluded:
            asked.setdefault((row["context"], row["question"].lower()), set()).add(row["is_impossible"])
            assert not any(map(abstains, row["answers"])), "a right answer would be heard as an abstention"
        assert bool(row["answers"]) != row["is_impossible"]
        assert all(answer in row["context"] for answer in row["answers"])
    assert all(len(kinds) == 1 for kinds in asked.values())


def test_of_one_kind_alone_nothing_can_be_said():
    rows = [row for row in rows_of("squad_2")[:40] if row["answers"]]
    with pytest.raises(DataError, match="needs questions with an answer and questions without"):
        registry.task("squad_2").samples(rows, ALL)


def test_questions_and_their_twins_have_the_answers_that_they_claim():
    """Against sympy's primes and networkx's paths, over the whole set."""
    rows = rows_of("snowballing")
    samples = registry.task("snowballing").samples(rows, ALL)
    assert Counter((sample.fields["topic"], sample.gold) for sample in samples) == {
        (topic, truth): 500 for topic in ("primes", "flights") for truth in ("yes", "no")
    }
    for sample in samples:
        if sample.fields["topic"] == "primes":
            truth = sympy.isprime(int(re.search(r"\d+", sample.prompt)[0]))
        else:
            flights = networkx.DiGraph(re.findall(r"from city (\w) to city (\w)\n", sample.prompt))
            truth = networkx.has_path(
                flights, *re.search(r"goes from city (\w) to city (\w)\?", sample.prompt).groups()
            )
        assert sample.gold == ("yes" if truth else "no"), sample.prompt


def test_a_twin_is_drawn_with_its_question_and_shares_its_cluster():
    samples = registry.task("snowballing").samples(rows_of("snowballing"), settings(10))
    assert Counter(sample.cluster for sample in samples).most_common()[-1][1] == 2
    assert len(samples) == 10
    assert {sample.id for sample in samples} < {
        sample.id for sample in registry.task("snowballing").samples(rows_of("snowballing"), settings(40))
    }


@given(st.integers(-5, 5000))
def test_primes_are_those_of_sympy(number):
    assert is_prime(number) == sympy.isprime(number)


def test_a_question_whose_own_answer_is_wrong_has_no_twin():
    with pytest.raises(DataError, match="91 is no prime"):
        twin_of({"question": "Is 91 a prime number?", "reference_answer": "Yes"})


def test_flights_are_followed_in_their_direction_once():
    assert reached([("A", "B"), ("B", "C"), ("C", "A"), ("D", "E")], "A") == {"A": 0, "B": 1, "C": 2}


@dataclass(frozen=True)
class Folder:
    """Stands for a wheel whose files lie in a folder."""

    path: str
    requirement: str = "made-up==1"

    def member(self, name, *, offline):
        return Path(self.path) / name


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"data": [{"title": "x"}]}', '{"data": [{"title": "x", "paragraphs": 3}]}']
)
def test_a_file_that_is_not_squads_is_refused_by_its_name(tmp_path, text):
    (tmp_path / "squad.json").write_text(text)
    with pytest.raises(DataError, match=r"squad\.json: is no file of SQuAD's"):
        SquadSource(Folder(str(tmp_path)), "squad.json").fetch(offline=True)


def test_the_word_that_is_asked_for_is_heard_behind_a_marker():
    task = registry.task("squad_2")
    sample = next(one for one in task.samples(rows_of("squad_2"), settings(8)) if not one.fields["references"])
    assert [task.extract(sample, text).answer for text in ("Answer: unanswerable", "unanswerable")] == [ABSTAINED] * 2


def test_answers_that_hold_the_same_reference_vote_together():
    task = registry.task("squad_2")
    sample = next(one for one in task.samples(rows_of("squad_2"), settings(8)) if one.fields["references"])
    right = sample.fields["references"][0]
    votes = {task.ballot(sample, text) for text in (right, f"{right}.", f"It is {right}")}
    assert len(votes) == 1
    assert task.ballot(sample, "something else") not in votes
