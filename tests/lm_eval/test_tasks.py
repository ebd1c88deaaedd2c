"""Tasks of lm-evaluation-harness as ours, against the results that lm-eval makes itself."""

import json
import math
from pathlib import Path
from random import Random
from typing import Any

import lm_eval
import pytest
import yaml
from lm_eval.tasks import TaskManager

from harness.core.errors import DataError, TaskError, UnavailableError, UnknownName
from harness.core.metrics import Undefined
from harness.core.models import Model, respond
from harness.core.requests import GenerateUntil, LoglikelihoodRolling, Response
from harness.core.scores import Score
from harness.core.tasks import Task, TaskSettings
from harness.engine.kinds.scripted import ScriptedModel
from harness.lm_eval.tasks import load_tasks
from harness.lm_eval_bridge import HarnessLM
from harness.tasks.options import TaskOptions
from tests.lm_eval.lm_eval_tasks import PROMPT, ROWS, TASKS, metric, over, write_task, write_tasks

ALL = TaskSettings(limit=None, num_fewshot=0, seed=7)


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """lm-eval would bootstrap in forked processes, which torch's threads don't survive well."""
    monkeypatch.setenv("DISABLE_MULTIPROC", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def bridge(tiny_llama: Path) -> HarnessLM:
    return HarnessLM(tiny_llama, dtype="float32", device="cpu")


def options(folder: Path, **allowed: bool) -> TaskOptions:
    return TaskOptions(include_path=folder, offline=True, **allowed)


def load_one(name: str, folder: Path, **allowed: bool) -> Task:
    (task,) = load_tasks(name, options(folder, **allowed))
    return task


def run(task: Task, model: Model, *, limit: int | None = None, num_fewshot: int | None = None) -> list[Score]:
    shots = task.default_num_fewshot if num_fewshot is None else num_fewshot
    samples = task.samples((), TaskSettings(limit=limit, num_fewshot=shots, seed=7))
    requests = [task.requests(sample) for sample in samples]
    distinct = {request.id: request for several in requests for request in several}
    responses = {response.request_id: response for response in respond(model, list(distinct.values()))}
    return [
        score
        for sample, several in zip(samples, requests, strict=True)
        for score in task.score(sample, [responses[request.id] for request in several])
    ]


def reduce(task: Task, scores: list[Score]) -> dict[str, Any]:
    return {
        one.name: one.reduce([score for score in scores if score.metric == one.name], Random(0)) for one in task.metrics
    }


def lm_evals(folder: Path, bridge: HarnessLM, **settings: Any) -> dict[str, Any]:
    results = lm_eval.simple_evaluate(
        model=bridge,
        tasks=list(TASKS),
        task_manager=TaskManager(include_path=folder, include_defaults=False),
        fewshot_random_seed=7,
        bootstrap_iters=2,  # few, for only the errors that it has a formula for are compared
        **settings,
    )
    assert results is not None
    return dict(results)


@pytest.mark.parametrize("limit", [None, 5])
def test_scores_are_those_of_lm_evals_own_results(folder: Path, bridge: HarnessLM, limit: int | None) -> None:
    theirs = lm_evals(folder, bridge, limit=limit)
    compared = 0
    for name in TASKS:
        task = load_one(name, folder)
        ours = reduce(task, run(task, bridge.model, limit=limit))
        for key, value in theirs["results"][name].items():
            label, _, pipeline = key.partition(",")
            if not pipeline or value == "N/A":
                continue
            label, is_error = label.removesuffix("_stderr"), label.endswith("_stderr")
            found = ours[label if pipeline == "none" else f"{label}:{pipeline}"]
            if not is_error:
                # lm-eval asks for all tasks at once, so batches differ, and a log-likelihood by up to 5e-4 nats.
                assert found.value == pytest.approx(float(value), rel=5e-4), (name, key)
                compared += 1
            elif label.startswith(("acc", "exact_match")):
                assert found.stderr == pytest.approx(value, rel=5e-4, abs=1e-12), (name, key)
                compared += 1
    assert compared == 14 + 6


def test_prompts_and_exemplars_are_lm_evals_own(folder: Path, bridge: HarnessLM) -> None:
    task = load_one("tiny_choice", folder)
    assert task.default_num_fewshot == 2
    samples = task.samples((), TaskSettings(limit=4, num_fewshot=2, seed=7))
    theirs = lm_evals(folder, bridge, limit=4)["samples"]["tiny_choice"]
    assert [sample.id for sample in samples] == [str(one["doc_id"]) for one in theirs]
    for sample, one in zip(samples, theirs, strict=True):
        asked = [(request.context, request.continuation) for request in task.requests(sample)]  # type: ignore[attr-defined]
        assert asked == [tuple(arguments) for arguments in one["arguments"]]
        assert (sample.gold, list(sample.choices)) == (one["target"], one["doc"]["options"])


def test_the_number_of_exemplars_and_the_seed_change_the_prompts_and_the_same_ones_give_the_same(folder: Path) -> None:
    task = load_one("tiny_choice", folder)

    def prompt(num_fewshot: int, seed: int) -> str:
        return task.samples((), TaskSettings(limit=1, num_fewshot=num_fewshot, seed=seed))[0].prompt

    assert prompt(0, 1) == PROMPT.replace("{{question}}", ROWS[0]["question"])
    assert [prompt(count, 1).count("Question:") for count in (1, 3)] == [2, 4]
    assert prompt(3, 1) == prompt(3, 1) != prompt(3, 2)


def test_groups_and_tags_and_files_give_their_tasks(folder: Path) -> None:
    names = ["lm-eval:tiny_choice", "lm-eval:tiny_rolling"]
    for name in ("tiny_group", "tiny_tag"):
        assert [task.name for task in load_tasks(name, options(folder))] == names
    by_path = load_one(str(folder / "tiny_target.yaml"), folder)
    assert by_path.name == "lm-eval:tiny_target"


def test_a_task_says_its_version_directions_units_and_whether_it_takes_exemplars(folder: Path) -> None:
    choice, rolling = load_tasks("tiny_group", options(folder))
    assert (choice.version, choice.definition["version"], choice.supports_fewshot) == (2, "2.1", True)
    assert {one.name: one.direction for one in choice.metrics}["brier_score"] == "lower"
    assert not rolling.supports_fewshot
    assert [(one.name, one.unit, one.direction) for one in rolling.metrics] == [
        ("word_perplexity", "per word", "lower"),
        ("byte_perplexity", "per byte", "lower"),
        ("bits_per_byte", "bits/byte", "lower"),
    ]


def test_the_digests_follow_the_documents_and_the_config_and_not_the_folder(tmp_path: Path) -> None:
    def digests(name: str, rows: list[dict[str, Any]], **changes: Any) -> tuple[str, Any]:
        place = tmp_path / name
        place.mkdir()
        data = place / "rows.jsonl"
        data.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
        write_task(place, {"task": "t", **over(data), **TASKS["tiny_choice"], **changes})
        task: Any = load_one("t", place)
        assert task.data_digest is None
        task.samples((), ALL)
        return task.data_digest, task.definition

    first = digests("a", ROWS)
    assert digests("b", ROWS) == first
    other = digests("c", [{**row, "answer": 0} for row in ROWS])
    assert other[0] != first[0]
    assert other[1] == first[1]
    assert digests("d", ROWS, metric_list=[metric("acc", "mean")])[1] != first[1]


def test_repeats_are_drawn_apart_and_reach_the_tasks_filters_together(tmp_path: Path) -> None:
    write_tasks(tmp_path)
    vote = {"name": "vote", "filter": [{"function": "majority_vote"}, {"function": "take_first"}]}
    write_task(
        tmp_path,
        {
            "task": "voting",
            **over(tmp_path / "rows.jsonl"),
            **TASKS["tiny_writing"],
            "doc_to_target": "right",
            "repeats": 3,
            "generation_kwargs": {"until": ["\n"], "do_sample": True, "temperature": 0.8, "max_gen_toks": 5},
            "filter_list": [vote],
            "metric_list": [metric("exact_match", "mean")],
        },
    )

    def answer(request: Any) -> Response:
        assert isinstance(request, GenerateUntil)
        return Response(request_id=request.id, text="wrong" if request.seed == 0 else "right")

    model = ScriptedModel(answer)
    scores = run(load_one("voting", tmp_path), model)
    assert sorted({request.seed for request in model.asked if isinstance(request, GenerateUntil)}) == [0, 1, 2]
    assert [score.value for score in scores] == [1.0] * len(ROWS)


def test_an_answer_that_cannot_be_used_makes_every_score_of_its_sample_invalid(folder: Path) -> None:
    task = load_one("tiny_choice", folder)
    model = ScriptedModel(lambda request: Response(request_id=request.id, invalid="logits are NaN"))
    scores = run(task, model, limit=1)
    assert {(score.metric, score.value, score.invalid) for score in scores} == {
        (one.name, None, "logits are NaN") for one in task.metrics
    }


def test_a_choice_that_hangs_on_rounding_is_marked_a_tie(folder: Path) -> None:
    task = load_one("tiny_choice", folder)
    likelihoods = {"over": -9.0, "by": -9.0001, "on": -20.0}

    def answer(request: Any) -> Response:
        return Response(
            request_id=request.id, loglikelihood=likelihoods[request.continuation.split()[0]], is_greedy=False
        )

    ties = {score.metric: score.tie for score in run(task, ScriptedModel(answer), limit=1)}
    assert ties == {"acc": True, "mcc": True, "acc_norm": True, "acc_bytes": True, "brier_score": False}


def test_word_perplexity_survives_the_record_as_nats_and_words(folder: Path) -> None:
    def answer(request: Any) -> Response:
        assert isinstance(request, LoglikelihoodRolling)
        return Response(request_id=request.id, loglikelihood=-2.0 * len(request.text.split(" ")))

    task = load_one("tiny_rolling", folder)
    assert reduce(task, run(task, ScriptedModel(answer)))["word_perplexity"].value == pytest.approx(math.exp(2.0))


def test_a_metric_that_lm_eval_cannot_make_of_these_values_is_absent_with_a_reason(tmp_path: Path) -> None:
    write_tasks(tmp_path)
    wanted = [metric("f1", "f1"), metric("likelihood", "mean"), metric("bypass", "bypass")]
    config = {**TASKS["tiny_choice"], "task": "odd", **over(tmp_path / "rows.jsonl"), "metric_list": wanted}
    write_task(tmp_path, config)
    task = load_one("odd", tmp_path)
    model = ScriptedModel(lambda request: Response(request_id=request.id, loglikelihood=-1.0, is_greedy=False))
    scores = run(task, model)
    for one, reason in zip(task.metrics, ("multiclass", "no mean", "bypass"), strict=True):
        with pytest.raises(Undefined, match=reason):
            one.reduce([score for score in scores if score.metric == one.name], Random(0))


def test_an_unknown_task_is_answered_with_the_nearest_names(folder: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean tiny_choice"):
        load_tasks("tiny_choise", options(folder))


def test_a_task_of_lm_evals_own_is_found_beside_the_users_and_says_what_to_do_without_its_data(folder: Path) -> None:
    with pytest.raises(UnavailableError, match="piqa") as caught:
        load_tasks("piqa", options(folder))
    assert "--include-path" in str(caught.value)


def test_data_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    write_task(tmp_path, {"task": "t", **over(tmp_path / "none.jsonl"), **TASKS["tiny_choice"]})
    with pytest.raises(DataError, match=r"none\.jsonl"):
        load_tasks("t", options(tmp_path))
    (tmp_path / "none.jsonl").touch()
    with pytest.raises(DataError, match="no rows"):
        load_tasks("t", options(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"doc_to_text": "{{questoin}}"}, "questoin"),
        ({"output_type": "telepathy"}, "telepathy"),
        ({"metric_list": [metric("acc", "average")]}, "no aggregation for the metric acc"),
        ({"doc_to_image": ["question"]}, "images"),
    ],
)
def test_a_task_that_does_not_fit_its_data_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_tasks(tmp_path)
    write_task(tmp_path, {"task": "t", **over(tmp_path / "rows.jsonl"), **TASKS["tiny_choice"], **changes})
    with pytest.raises(TaskError, match=message) as caught:
        load_tasks("t", options(tmp_path))
    assert caught.value.place == "lm-eval:t"
    assert "\n" not in str(caught.value)


def test_a_malformed_file_is_named_instead_of_being_passed_over(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("task: t\ndoc_to_text: [", encoding="utf-8")
    with pytest.raises(TaskError, match=r"t\.yaml: is not valid YAML"):
        load_tasks("t", options(tmp_path))
    with pytest.raises(TaskError, match="no such folder"):
        load_tasks("t", options(tmp_path / "none"))


def test_loading_and_asking_print_nothing(folder: Path, bridge: HarnessLM, capfd: pytest.CaptureFixture[str]) -> None:
    run(load_one("tiny_choice", folder), bridge.model, limit=2)
    assert capfd.readouterr() == ("", "")


class TestCode:
    """A file that would run code is refused before anything of it takes effect."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        (tmp_path / "utils.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'w')\ndef prepare(docs):\n    return docs\n", encoding="utf-8"
        )
        return write_tasks(tmp_path)

    def base(self, place: Path, **changes: Any) -> dict[str, Any]:
        return {"task": "t", **over(place / "rows.jsonl"), **TASKS["tiny_choice"], **changes}

    def refuse(self, place: Path, name: str, key: str, *, option: str = "--trust-task-code") -> TaskError:
        with pytest.raises(TaskError) as caught:
            load_tasks(name, options(place))
        assert key in caught.value.problem
        assert option in str(caught.value)
        assert not (place / "ran").exists()
        return caught.value

    def test_a_function_is_refused_and_runs_once_it_is_trusted(self, place: Path) -> None:
        path = write_task(place, self.base(place), more="process_docs: !function utils.prepare\n")
        assert self.refuse(place, "t", "process_docs").place == str(path)
        assert load_tasks("t", options(place, trust_task_code=True))[0].name == "lm-eval:t"
        assert (place / "ran").exists()

    def test_a_function_in_an_included_file_is_refused_even_if_it_is_overridden(self, place: Path) -> None:
        included = place / "base.inc"
        included.write_text("fewshot_config:\n  samples: !function utils.prepare\n", encoding="utf-8")
        write_task(place, self.base(place, include="base.inc", fewshot_config={"sampler": "first_n"}))
        assert self.refuse(place, "t", "fewshot_config.samples").place == str(included)

    def test_a_function_in_a_member_of_a_group_is_refused_wherever_the_list_of_members_stands(
        self, place: Path
    ) -> None:
        path = write_task(place, self.base(place, task="member"), more="process_docs: !function utils.prepare\n")
        (place / "list.inc").write_text("task: [member]\n", encoding="utf-8")
        (place / "outer.yaml").write_text("group: outer\ninclude: list.inc\n", encoding="utf-8")
        (place / "top.yaml").write_text("group: top\ntask: [{group: inner, task: [outer]}]\n", encoding="utf-8")
        for name in ("outer", "top"):
            assert self.refuse(place, name, "process_docs").place == str(path)

    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({"class": "tasks.Mine"}, "class"),
            ({"custom_dataset": "utils.prepare"}, "custom_dataset"),
            ({"unsafe_code": True}, "unsafe_code"),
            ({"dataset_path": "./load.py"}, "dataset_path"),
            ({"dataset_path": "pandas"}, "dataset_path"),
            ({"dataset_kwargs": {"trust_remote_code": True}}, "dataset_kwargs.trust_remote_code"),
            ({"doc_to_text": "{{question.__class__.__mro__}}"}, "doc_to_text"),
            ({"fewshot_config": {"doc_to_text": "{{question['__class__']}}"}}, "fewshot_config.doc_to_text"),
            ({"doc_to_target": "{{question|attr('__class__')}}"}, "doc_to_target"),
        ],
    )
    def test_every_other_way_to_code_is_refused_by_its_key(
        self, place: Path, changes: dict[str, Any], key: str
    ) -> None:
        path = write_task(place, self.base(place, **changes))
        assert self.refuse(place, "t", key).place == str(path)

    def test_what_a_group_gives_its_members_is_read_too(self, place: Path) -> None:
        group = {"group": "g", "task": [{"task": "tiny_choice", "dataset_path": "pandas"}]}
        (place / "g.yaml").write_text(yaml.safe_dump(group), encoding="utf-8")
        self.refuse(place, "g", "task[0].dataset_path")

    @pytest.mark.parametrize("template", ["{{question['__cl' ~ 'ass__']}}", "{{question|attr('_' ~ '_class__')}}"])
    def test_a_template_that_puts_an_attribute_together_is_stopped_while_it_renders(
        self, place: Path, template: str
    ) -> None:
        write_task(place, self.base(place, doc_to_text=template))
        self.refuse(place, "t", "template")

    def test_a_yaml_tag_that_builds_objects_is_refused(self, place: Path) -> None:
        more = f"metadata: !!python/object/apply:os.mknod ['{place / 'ran'}']\n"
        write_task(place, {key: value for key, value in self.base(place).items() if key != "metadata"}, more=more)
        with pytest.raises(TaskError, match="not valid YAML"):
            load_tasks("t", options(place))
        assert not (place / "ran").exists()

    @pytest.mark.parametrize("changes", [{"metric": "PLACE/mine.py"}, {"metric": "acc", "hf_evaluate": True}])
    def test_a_metric_that_is_a_script_needs_its_own_permission(self, place: Path, changes: dict[str, Any]) -> None:
        (place / "mine.py").write_text(f"open({str(place / 'ran')!r}, 'w')\n", encoding="utf-8")
        changes = {**changes, "metric": changes["metric"].replace("PLACE", str(place))}
        listed = [{**metric("acc", "mean"), **changes}]
        write_task(place, self.base(place, metric_list=listed))
        self.refuse(place, "t", "metric_list[0].metric", option="--trust-metric-code")
