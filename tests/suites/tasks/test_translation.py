"""Metrics of written texts against sacrebleu and hand-counted cases, and the tasks that use them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import sacrebleu

from harness.core.checkpoints import Checkpoint
from harness.core.datasets import Row
from harness.core.errors import HarnessError
from harness.core.requests import GenerateUntil, Request, Response
from harness.core.scores import Score
from harness.core.statistics import paired_bootstrap
from harness.core.tasks import Task, TaskSettings
from harness.data import load_data
from harness.metrics.texts import (
    BLEU,
    CHRF,
    ROUGE,
    TER,
    CorpusMetric,
    LengthRatio,
    Repetition,
    TokenF1,
)
from harness.run.work import applicable
from harness.suitefiles.declared import declare, read_suite_file
from harness.suitefiles.schema import Declaration
from harness.suitefiles.selection import PlannedTask
from harness.tasks.options import TaskOptions
from suites.text_quality.translation import Translation, find_language, translation_metrics
from tests.suites.scripts import scores_of, value_of, writer

GERMAN = (
    [
        "Die Katze sitzt auf der Matte .",
        "Das ist ein Haus.",
        "Bitte geben Sie eine gültige Adresse ein.",
        "",
        "Er ging gestern nach Hause und schlief sofort ein.",
    ],
    [
        "Die Katze saß auf der Matte.",
        "Dies ist ein großes Haus.",
        "Bitte eine gültige Adresse eingeben.",
        "Nichts da.",
        "Gestern ging er nach Hause und schlief sofort ein.",
    ],
)
CHINESE = (
    ["请输入有效的值。", "这是一个十进制数字。", "密码已经修改了", "文件是空的。"],
    ["输入一个有效的值。", "这个值必须是一个十进制数字。", "您的密码已修改。", "所提交的是空文件。"],
)
PAIRS = {"de": GERMAN, "zh": CHINESE}
OPTIONS = {
    "bleu": {"de": ["-m", "bleu"], "zh": ["-m", "bleu", "-tok", "zh"]},
    "chrf++": {key: ["-m", "chrf", "--chrf-word-order", "2"] for key in PAIRS},
    "ter": {"de": ["-m", "ter"], "zh": ["-m", "ter", "--ter-normalized", "--ter-asian-support"]},
}


def scores(metric: str, written: list[str], references: list[str]) -> list[Score]:
    return [
        Score(sample_id=str(index), metric=metric, gold=reference, predicted=text)
        for index, (text, reference) in enumerate(zip(written, references, strict=True))
    ]


def value(metric: Any, written: str, reference: str) -> float:
    return float(metric.fields(reference, written)["value"])


@pytest.mark.parametrize("language", PAIRS)
@pytest.mark.parametrize("metric", [BLEU, CHRF, TER])
def test_a_corpus_metric_and_its_signature_are_those_of_sacrebleus_command_line(
    metric: type[CorpusMetric], language: str, tmp_path: Path
) -> None:
    ours: CorpusMetric = metric(language=language)  # type: ignore[call-arg]
    written, references = PAIRS[language]
    for name, lines in (("written", written), ("references", references)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "references", "-i", "written", "-w", "12", "--force"]
    printed = subprocess.run(
        [*command, *OPTIONS[ours.name][language]], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    theirs = json.loads(printed)
    found = ours.reduce(scores(ours.name, written, references), Random(0))
    assert found.value == pytest.approx(theirs["score"], abs=1e-9)
    assert ours.signature == theirs["signature"]


@pytest.mark.parametrize("language", PAIRS)
@pytest.mark.parametrize("metric", [BLEU, CHRF, TER])
def test_a_resample_has_the_value_that_sacrebleu_gives_its_texts(metric: type[CorpusMetric], language: str) -> None:
    ours: CorpusMetric = metric(language=language)  # type: ignore[call-arg]
    written, references = PAIRS[language]
    counts = ours.counts(scores(ours.name, written, references))
    generator = np.random.default_rng(0)
    for _ in range(10):
        rows = generator.integers(len(written), size=len(written))
        theirs = ours.scorer.corpus_score([written[row] for row in rows], [[references[row] for row in rows]]).score
        assert ours.of(counts[rows]) == pytest.approx(theirs, abs=1e-9)


def test_the_interval_is_the_same_for_the_same_seed_and_holds_the_value() -> None:
    given = scores("bleu", *GERMAN)
    first, second = (BLEU(language="de").reduce(given, Random(7)) for _ in range(2))
    assert first == second
    assert first.low is not None
    assert first.high is not None
    assert first.low < first.value < first.high


def test_the_difference_of_two_models_is_paired_by_sample() -> None:
    generator = np.random.default_rng(0)
    words = ["cat", "sat", "mat", "saw", "another", "dog", "run", "home", "over", "some", "hill"]
    references = [" ".join(generator.choice(words, 12)) for _ in range(60)]
    # Samples of very different difficulty; the second model makes one slip more in each.
    before = [" ".join(text.split()[: 4 + index % 9]) for index, text in enumerate(references)]
    after = [" ".join([*text.split()[:-1], "slip"]) for text in before]
    metric = CHRF()
    one, other = scores("chrf++", before, references), scores("chrf++", after, references)
    found = paired_bootstrap(metric.resampled(one), metric.resampled(other), len(one), rng=Random(0))
    alone = metric.reduce(one, Random(0))
    assert found.value == pytest.approx(metric.of(metric.counts(other)) - metric.of(metric.counts(one)))
    assert found.high is not None
    assert found.high < 0
    assert (found.stderr or 0) < (alone.stderr or 0)


def test_rouge_is_as_counted_by_hand() -> None:
    reference, written = "The cat sat on the mat.", "On the mat the cats slept"
    # Stemmed: the cat sat on the mat | on the mat the cat slept. Words 5 of 6; pairs: on the, the mat, the cat, 3 of 5;
    # longest common sequence: on the mat, 3 of 6.
    values = {kind: value(ROUGE(name=kind, kind=kind), written, reference) for kind in ("rouge1", "rouge2", "rougeL")}
    assert values == pytest.approx({"rouge1": 5 / 6, "rouge2": 3 / 5, "rougeL": 1 / 2})


@pytest.mark.parametrize(
    ("written", "reference", "language", "expected"),
    [
        ("The Eiffel Tower!", "eiffel tower", "en", 1.0),
        ("in the city of Paris", "Paris", "en", 2 / 5),
        ("London", "Paris", "en", 0.0),
        ("", "", "en", 1.0),
        ("a b", "b", "de", 2 / 3),
        ("红色的", "红的", "zh", 4 / 5),
    ],
)
def test_token_f1_is_as_counted_by_hand(written: str, reference: str, language: str, expected: float) -> None:
    assert value(TokenF1(language=language), written, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("written", "language", "expected"),
    [
        ("a b c d a b c d", "en", 1 / 5),
        ("a b c", "en", 0.0),
        ("no no no no no no", "en", 2 / 3),
        ("好好好好好", "zh", 1 / 2),
        ("all of these words differ", "en", 0.0),
    ],
)
def test_repetition_is_as_counted_by_hand(written: str, language: str, expected: float) -> None:
    assert value(Repetition(language=language), written, "") == pytest.approx(expected)


def test_a_mean_over_texts_is_resampled_and_has_an_error_where_all_agree() -> None:
    def reduced(*values: float) -> Any:
        given = [Score(sample_id=str(index), metric="m", value=one) for index, one in enumerate(values)]
        return TokenF1().reduce(given, Random(0))

    spread = reduced(*[0.1, 0.2, 0.3, 0.4] * 10)
    error = float(np.std([0.1, 0.2, 0.3, 0.4]) / 40**0.5)
    assert spread.value == pytest.approx(0.25)
    assert spread.stderr == pytest.approx(error, rel=0.15)
    assert (spread.low, spread.high) == pytest.approx((0.25 - 2 * error, 0.25 + 2 * error), abs=0.006)
    nothing = reduced(*[0.0] * 20)
    assert nothing.low == 0
    assert nothing.high > 0.1


@pytest.mark.parametrize("language", PAIRS)
def test_the_length_ratio_is_sacrebleus(language: str) -> None:
    metric = LengthRatio(language=language)
    written, references = PAIRS[language]
    given = [
        replace(score, **metric.fields(str(score.gold), str(score.predicted)))
        for score in scores("length_ratio", written, references)
    ]
    theirs = sacrebleu.BLEU(trg_lang=language, force=True).corpus_score(written, [references])
    assert metric.reduce(given, Random(0)).value == pytest.approx(theirs.ratio)


class Notices(Translation):
    """Notices."""

    name = "notices"
    source_language, target_language = "en", "de"
    metrics = translation_metrics("de")
    default_num_fewshot = 1

    def source(self, row: Row) -> str:
        return str(row["en"])

    def reference(self, row: Row) -> str:
        return str(row["de"])


ROWS: list[Row] = [
    {"en": "Hello %(name)s, welcome.", "de": "Hallo %(name)s, willkommen."},
    {"en": "Delete {count} of {count}.", "de": "{count} von {count} löschen."},
    {"en": "Good night.", "de": "Gute Nacht."},
]


def checkpoint(kind: str, **fields: Any) -> Checkpoint:
    common: dict[str, Any] = dict.fromkeys(("architecture", "dtype", "origin", "fingerprint"), "x")
    common |= {"parameter_count": 1, "size_bytes": 1, "max_length": 8, "has_chat_template": False, "files": {}}
    return Checkpoint(ref="x", kind=kind, path=Path(), **common, **fields)


def prompts(of: Checkpoint) -> list[str]:
    settings = TaskSettings(limit=None, num_fewshot=1, seed=0)
    (planned,), _ = applicable([PlannedTask(suite="s", task=Notices(), settings=settings)], of)
    return [sample.prompt for sample in planned.task.samples(ROWS, planned.settings)]


def test_a_causal_model_is_prompted_with_an_exemplar() -> None:
    (first, _) = prompts(checkpoint("causal"))
    shown, asked = first.split("\n\n")
    assert shown.startswith("English: ")
    assert "\nGerman: " in shown
    assert asked.startswith("English: ")
    assert asked.endswith("\nGerman:")


def test_a_sequence_to_sequence_model_gets_the_source_alone() -> None:
    assert prompts(checkpoint("seq2seq")) == [str(row["en"]) for row in ROWS]


def test_a_sequence_to_sequence_model_gets_the_prefix_that_its_config_has_for_the_direction() -> None:
    config = {"task_specific_params": {"translation_en_to_de": {"prefix": "translate English to German: "}}}
    assert prompts(checkpoint("seq2seq", config=config))[2] == "translate English to German: Good night."


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("eng_Latn", "deu_Latn", None),
        ("en_XX", "de_DE", None),
        (None, None, None),
        ("eng_Latn", "fra_Latn", "a language other than German (--target-language fra_Latn)"),
        ("zho_Hans", "deu_Latn", "a language other than English (--source-language zho_Hans)"),
    ],
)
def test_a_model_set_to_other_languages_is_refused(source: str | None, target: str | None, said: str | None) -> None:
    refusal = Notices().refusal(checkpoint("seq2seq", source_language=source, target_language=target))
    assert refusal is None if said is None else said in str(refusal)


def test_the_references_themselves_have_the_best_of_every_score() -> None:
    answers = {str(row["en"]): str(row["de"]) for row in ROWS}

    def translate(request: GenerateUntil) -> str:
        return f" {answers[request.context.removeprefix('English: ').removesuffix(chr(10) + 'German:')]}"

    task = Notices()
    found = scores_of(task, writer(translate), ROWS)
    values = {metric.name: value_of(task, metric.name, found) for metric in task.metrics}
    best = {"bleu": 100, "chrf++": 100, "ter": 0, "token_f1": 1, "length_ratio": 1, "repetition": 0, "exact_match": 1}
    assert values == pytest.approx({**best, "placeholders_kept": 1})


def test_a_placeholder_that_is_lost_translated_or_doubled_is_not_kept() -> None:
    rows = [{"en": f"The {{count}} of {mark}.", "de": "x"} for mark in ("%(one)s", "{two}", "%s", "nothing")]
    answers = {"%(one)s": "%(eins)s, {count}", "{two}": "{count} {count} {two}", "%s": "%s: {count}", "nothing": "Die"}
    task = Notices()
    found = scores_of(
        task, writer(lambda asked: next(text for mark, text in answers.items() if f"{mark}." in asked.context)), rows
    )
    kept = {score.sample_id: score.value for score in found if score.metric == "placeholders_kept"}
    assert kept == {"0": 0.0, "1": 0.0, "2": 1.0, "3": 0.0}
    nothing = scores_of(task, writer(lambda asked: "Gute Nacht."), ROWS[2:])
    assert "placeholders_kept" not in {score.metric for score in nothing}


def test_a_text_that_could_not_be_written_is_invalid_in_every_metric() -> None:
    task = Notices()
    sample = task.samples(ROWS, TaskSettings(limit=None, num_fewshot=0, seed=0))[0]
    asked: Request = task.requests(sample)[0]
    found = task.score(sample, [Response(request_id=asked.id, invalid="NaN")])
    assert [score.invalid for score in found] == ["NaN"] * len(task.metrics)


def test_languages_are_found_by_code_with_or_without_a_script() -> None:
    assert (find_language("zh_Hans").name, find_language("pt-BR").name) == ("Chinese", "Portuguese")


DECLARED = """
name: mine
tasks:
  - name: notices
    type: translation
    data: pairs.tsv
    source: English
    target: Deutsch
    source_language: en
    target_language: de
"""


def declared(folder: Path, text: str = DECLARED) -> Task:
    (folder / "pairs.tsv").write_text("English\tDeutsch\nGood night.\tGute Nacht.\nYes.\tJa.\n", encoding="utf-8")
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    (entry,) = read_suite_file(path).tasks
    assert isinstance(entry, Declaration)
    return declare(entry, path, "tasks[0]", TaskOptions())


def test_a_parallel_file_is_translated(tmp_path: Path) -> None:
    task = declared(tmp_path)
    assert not isinstance(task.data, str)
    assert task.data is not None
    samples = task.samples(load_data(task.data).rows, TaskSettings(limit=None, num_fewshot=1, seed=0))
    (request,) = task.requests(samples[0])
    assert isinstance(request, GenerateUntil)
    pairs = ["English: Good night.\nGerman: Gute Nacht.", "English: Yes.\nGerman: Ja."]
    assert f"{request.context} {samples[0].gold}" in ["\n\n".join(pairs), "\n\n".join(pairs[::-1])]
    assert [metric.name for metric in task.metrics][:3] == ["bleu", "chrf++", "ter"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source_language: en", "source_language: german", "tasks[0].source_language: german: no such language"),
        ("target_language: de", "target_language: en", "tasks[0].target_language: is the language to translate from"),
        ("target_language: de", "target_language: de\n    metrics: [blue]", "did you mean bleu"),
    ],
)
def test_a_fault_in_a_declared_translation_is_told_by_its_field(old: str, new: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as caught:
        declared(tmp_path, DECLARED.replace(old, new))
    assert said in str(caught.value)


def test_a_language_whose_tokenizer_is_not_installed_is_told_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if sacrebleu had been installed without its extra for Japanese.
    monkeypatch.setattr("sacrebleu.tokenizers.tokenizer_ja_mecab.MeCab", None, raising=False)
    with pytest.raises(HarnessError, match=r"pip install 'sacrebleu\[ja\]'"):
        declared(tmp_path, DECLARED.replace("language: de", "language: ja"))
