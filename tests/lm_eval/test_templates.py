"""Templates of a task file get plain values, a bounded time and a bounded length, and render as lm-eval's do."""

import datetime
import io
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import datasets
import jinja2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import TaskError
from harness.core.process.time_limit import OverLimit
from harness.core.requests import Response
from harness.core.tasks import TaskSettings
from harness.lm_eval.plain import Opaque, plain_copy
from harness.lm_eval.tasks import load_tasks
from harness.lm_eval.templates import render
from harness.tasks.options import TaskOptions
from tests.lm_eval.lm_eval_tasks import over, write_task, write_tasks

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def written(template: str, document: dict[str, Any]) -> str:
    """What lm-eval makes of a template, by an environment like its own."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["regex_replace"] = lambda text, pattern, by: re.sub(pattern, by, text)
    return environment.from_string(template).render(**document)


@given(_values)
def test_plain_values_stay_as_they_are_and_are_copied(value: Any) -> None:
    assert plain_copy(value) == value
    assert not isinstance(value, list | dict) or plain_copy(value) is not value


class Living(list[int]):
    def act(self) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Image.new("RGB", (1, 1)), "<Image>"),
        (np.zeros(3), "<ndarray>"),
        (io.BytesIO(b"x"), "<BytesIO>"),
        (b"bytes", "<bytes>"),
        (Path, "<type>"),
        (len, "<builtin_function_or_method>"),
    ],
)
def test_what_acts_is_a_handle_without_attributes(value: object, shown: str) -> None:
    handle = plain_copy({"a": [value]})["a"][0]
    assert isinstance(handle, Opaque)
    assert str(handle) == shown
    assert not [name for name in dir(handle) if not name.startswith("_")]


def test_values_of_other_libraries_become_pythons_own() -> None:
    day = datetime.datetime(2020, 1, 2, 3, 4, 5)
    found = plain_copy(
        {"a": np.int64(3), "b": np.str_("x"), "c": day, "d": Decimal("1.50"), "e": np.True_, "f": Living([1])}
    )
    assert found == {"a": 3, "b": "x", "c": "2020-01-02 03:04:05", "d": "1.50", "e": True, "f": [1]}
    assert [type(one) for one in found.values()] == [int, str, str, str, bool, list]


@pytest.mark.parametrize(
    "template",
    [
        "Question: {{question}}\nAnswer:\n",
        "{% for o in options %}{{ 'ABC'[loop.index0] }}. {{ o|trim }}\n{% endfor %}{{ options|length }}",
        "{{ question.strip().split(' ')[0]|upper }} {{ options.index('home') }} {{ nested.a[0].b }} {{ pair }}",
        "{% set ns = namespace(n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
        "{{ '%.2f'|format(x) }} {{ question|regex_replace('[ ]+', '_') }}",
    ],
)
def test_a_template_renders_as_in_lm_eval(template: str) -> None:
    document = {
        "question": " Where is it? ",
        "options": ["over ", "home"],
        "nested": {"a": [{"b": 1}]},
        "pair": (1, 2.5),
        "x": 3.14159,
    }
    assert render(template, document) == written(template, document)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 'a' * 10**9 }}", "memory"),
        ("{{ '%1000000000d' % 1 }}", "memory"),
        ("{% for i in range(99999) %}{{ 'x' * 100 }}{% endfor %}", "limit is 4,000,000"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "seconds"),
        ("{{ ('a' * 60 ~ 'b')|regex_replace('(a+)+$', '') }}", "seconds"),
    ],
)
def test_a_template_without_end_is_ended(template: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.lm_eval.templates.CPU_S", 0.2)
    with pytest.raises(OverLimit, match=said) as caught:
        render(template, {})
    assert template[:20] in str(caught.value)


@pytest.mark.parametrize("key", ["doc_to_text", "doc_to_target", "doc_to_choice", "description", "gen_prefix"])
def test_an_image_in_the_data_can_be_made_to_do_nothing(tmp_path: Path, key: str) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (2, 2)).save(drawn, "PNG")
    kinds = {"question": datasets.Value("string"), "image": datasets.Image(), "more": [{"image": datasets.Image()}]}
    stored = {"bytes": drawn.getvalue(), "path": "/etc/hostname"}
    row = {"question": "What is it?", "image": stored, "more": [{"image": stored}]}
    table = pa.Table.from_pylist([row] * 2, schema=datasets.Features(kinds).arrow_schema)
    pq.write_table(table, tmp_path / "rows.parquet")
    config = {
        "task": "t",
        **over(tmp_path / "rows.parquet"),
        "dataset_path": "parquet",
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}} {{image}} {{more}}",
        "doc_to_target": 0,
        "doc_to_choice": ["a", "b"],
    }
    (task,) = load_tasks("t", TaskOptions(include_path=write_task(tmp_path, config).parent, offline=True))
    settings = TaskSettings(limit=1, num_fewshot=0, seed=0)
    assert task.samples((), settings)[0].prompt == "What is it? <Image> [{'image': <Image>}]"
    for acting in ("image", "more[0].image"):
        write_task(tmp_path, {**config, key: f"{{{{ {acting}.save('{tmp_path / 'written.png'}') }}}}"})
        with pytest.raises(TaskError, match="has no attribute 'save'"):
            load_tasks("t", TaskOptions(include_path=tmp_path, offline=True))[0].samples((), settings)
    assert not (tmp_path / "written.png").exists()


def test_a_filter_that_backtracks_is_ended(tmp_path: Path) -> None:
    write_tasks(tmp_path)
    (task,) = load_tasks("tiny_writing", TaskOptions(include_path=tmp_path, offline=True))
    sample = task.samples((), TaskSettings(limit=1, num_fewshot=0, seed=0))[0]
    responses = [Response(request_id=one.id, text="a" * 60 + "!") for one in task.requests(sample)]
    assert task.score(sample, responses)
    path = tmp_path / "tiny_writing.yaml"
    path.write_text(path.read_text().replace("([a-z])", "(a+)+$"))
    (task,) = load_tasks("tiny_writing", TaskOptions(include_path=tmp_path, offline=True))
    with pytest.raises(TaskError, match="scoring document 0: takes more than 2 seconds"):
        task.score(task.samples((), TaskSettings(limit=1, num_fewshot=0, seed=0))[0], responses)
