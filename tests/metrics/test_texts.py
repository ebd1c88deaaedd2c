"""Metrics of texts in every script: against rouge-score, sacrebleu and cases counted by hand."""

import unicodedata
from random import Random
from typing import Any

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from harness.core.scores import Score
from harness.metrics.texts import BLEU, ROUGE, TER, LengthRatio, MeanOfTexts, Repetition, TokenF1

KINDS = ("rouge1", "rouge2", "rougeL")
EXACT = {
    "Arabic": "مَرْحَبًا بالعالم الجديد",
    "Chinese": "我们今天去公园散步。",
    "Greek": "Πού είναι η βιβλιοθήκη;",
    "Hebrew": "שלום עולם חדש",
    "Hindi": "मौसम आज बहुत अच्छा है",
    "Japanese": "東京タワーに登りました。",
    "Khmer": "ភាសាខ្មែរពិបាក",
    "Korean": "오늘 날씨가 좋다",
    "Lao": "ສະບາຍດີຕອນເຊົ້າ",
    "Russian": "Мы едем на дачу завтра утром",
    "Thai": "สวัสดีครับ ยินดีต้อนรับ",
    "Tibetan": "བཀྲ་ཤིས་བདེ་ལེགས",
    "Vietnamese": "Ở đó, à ạ ơ ờ",
}


class Characters:
    """What rouge-score takes in place of its own tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return [sign for sign in text if sign.isalpha()]


def value(metric: Any, written: str, reference: str) -> float:
    fields = metric.fields(reference, written)
    return float(fields["value"])


def rouge(kind: str) -> ROUGE:
    return ROUGE(name=kind, kind=kind)


@pytest.mark.parametrize("script", EXACT)
@pytest.mark.parametrize("metric", [TokenF1(), *map(rouge, KINDS)])
def test_an_exact_answer_scores_1_in_every_script(metric: MeanOfTexts, script: str) -> None:
    assert value(metric, EXACT[script], EXACT[script]) == pytest.approx(1)
    apart = unicodedata.normalize("NFD", EXACT[script])
    assert value(metric, apart, EXACT[script]) == pytest.approx(1)
    others = [text for name, text in EXACT.items() if name != script]
    assert max(value(metric, text, EXACT[script]) for text in others) < 0.5


plain = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=3, max_size=60)


@given(plain, plain)
def test_rouge_of_plain_english_is_rouge_scores(written: str, reference: str) -> None:
    theirs = RougeScorer(KINDS, use_stemmer=True)
    expected = theirs.score(reference, written)
    for kind in KINDS:
        found = rouge(kind).fields(reference, written)
        if found is None:
            # Where the reference has no word, or no pair of them, rouge-score says 0 of an exact answer too.
            assert theirs.score(reference, reference)[kind].fmeasure == 0
        else:
            assert found["value"] == pytest.approx(expected[kind].fmeasure, abs=1e-12)


@pytest.mark.parametrize(
    ("written", "reference"),
    [("我们今天去公园。", "今天我们去公园散步"), ("请输入有效的值", "输入一个有效的值。"), ("好", "好的")],
)
def test_rouge_of_chinese_is_rouge_scores_over_characters(written: str, reference: str) -> None:
    theirs = RougeScorer(KINDS, tokenizer=Characters()).score(reference, written)
    found = {kind: value(rouge(kind), written, reference) for kind in KINDS}
    assert found == pytest.approx({kind: theirs[kind].fmeasure for kind in KINDS})


def test_rouge_of_mixed_and_accented_texts_is_as_counted_by_hand() -> None:
    # 用 | python | 写 against 用 | python | 写 | 的: 3 of 3 and of 4.
    assert value(rouge("rouge1"), "用Python写", "用 python 写的") == pytest.approx(6 / 7)
    # Words with an accent are words, not cut at it: l | été | chaud against l | ete | chaud, 2 of 3.
    assert value(rouge("rouge1"), "l'été chaud", "l'ete chaud") == pytest.approx(2 / 3)


def test_a_reference_that_rouge_finds_no_unit_in_gives_no_score() -> None:
    assert rouge("rouge2").fields("Paris", "Paris") is None
    assert rouge("rouge1").fields("🙂", "🙂") is None
    assert value(rouge("rouge1"), "Paris", "Paris") == 1


@pytest.mark.parametrize(
    ("written", "reference", "expected"),
    [
        ("我们今天去公园散步。", "我们去公园。", 10 / 6),
        ("Мы едем домой", "Мы едем", 3 / 2),
        # Characters with their marks: ส วั ส ดี | ส วั ส ดี ค รั บ.
        ("สวัสดี", "สวัสดีครับ", 4 / 7),
        ("one, two", "one", 3.0),
    ],
)
def test_the_length_of_a_text_is_counted_by_its_script(written: str, reference: str, expected: float) -> None:
    found = LengthRatio().fields(reference, written)
    assert found["value"] / found["weight"] == pytest.approx(expected)


def test_repetition_is_counted_over_characters_where_there_are_no_spaces_in_any_task() -> None:
    # 8 characters have 5 runs of 4, of which 4 differ: 好好好坏好好好坏.
    assert value(Repetition(), "好好好坏好好好坏", "") == pytest.approx(1 / 5)
    assert value(Repetition(), "ครับครับครับ", "") > 0.4


@pytest.mark.parametrize(
    ("written", "reference", "expected"),
    [
        ("红色的Python。", "红的 Python", 6 / 7),  # 3 of 4 and of 3, the full stop left aside
        ("«Дача»", "дача", 1.0),
        ("“Paris”", "Paris", 1.0),
    ],
)
def test_token_f1_of_other_scripts_is_as_counted_by_hand(written: str, reference: str, expected: float) -> None:
    assert value(TokenF1(), written, reference) == pytest.approx(expected)


def test_thai_is_compared_by_characters_and_the_signatures_say_so() -> None:
    written, references = ["สวัสดีครับ", "แมวอยู่บนเสื่อ"], ["สวัสดีค่ะ", "แมวนอนอยู่บนเสื่อ"]
    given_ = [
        Score(sample_id=text, metric="bleu", gold=reference, predicted=text)
        for text, reference in zip(written, references, strict=True)
    ]
    bleu, ter = BLEU(language="th"), TER(language="th")
    theirs = sacrebleu.corpus_bleu(written, [references], tokenize="char", force=True)
    assert bleu.reduce(given_, Random(0)).value == pytest.approx(theirs.score)
    assert "tok:char" in bleu.signature
    # ส วั ส ดี ค่ ะ: two replaced, one too many; แ ม ว น อ น อ ยู่ บ น เ สื่ อ: three missing.
    assert ter.reduce(given_, Random(0)).value == pytest.approx(100 * 6 / 19)
    assert "characters" in ter.signature


@pytest.mark.parametrize("metric", [TokenF1(), LengthRatio(), Repetition(), rouge("rouge1")])
def test_how_words_are_cut_stands_in_the_signature(metric: Any) -> None:
    assert "tok:" in metric.signature
    assert "unspaced-characters" in metric.signature
