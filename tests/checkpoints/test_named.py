"""A name that stands in a file leads to a folder where the user pointed, and to no server, hub or other folder."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checkpoints import resolve
from harness.checkpoints.adapter import CONFIG
from harness.checkpoints.sources.named import below, beside
from harness.core.errors import InputError
from tests.served import Served, serving

KEY = "sk-a-very-secret-key-0123456789"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serving(Served()) as running:
        yield running


@pytest.fixture
def adapter(tiny_llama: Path, tmp_path: Path) -> Path:
    """A folder that says it is an adapter, two below the only folder that it may not reach, with bases on the way."""
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    folder = tmp_path / "far" / "home" / "adapter"
    config = peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj"])
    peft.get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_llama), config).save_pretrained(folder)
    for name in ("far/home/base", "far/base", "base"):
        shutil.copytree(tiny_llama, tmp_path / name)
    return folder


def over(folder: Path, name: object, **fields: object) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "base_model_name_or_path": name, **fields}))


def refusal(folder: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        resolve(str(folder), **options)
    assert caught.value.fix
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "form",
    [
        "openai:{}#tiny",
        "openai:{}",
        "{}",
        "OPENAI:{}#tiny",
        "vllm:{}",
        "file:///{}",
        " openai:{}#tiny",
        "a/../openai:{}",
    ],
)
def test_no_name_in_an_adapter_reaches_a_server(
    adapter: Path, server: Served, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    over(adapter, form.format(server.url))
    said = refusal(adapter)
    assert "as its base" in said
    assert "--base REF" in said or form[0] in " a"
    assert server.paths == []


def test_a_base_that_the_user_names_is_no_server_either(adapter: Path, server: Served) -> None:
    assert "can't be a base" in refusal(adapter, base=f"openai:{server.url}#tiny")
    assert "can't be a base" in refusal(adapter.parent / "base", base=f"openai:{server.url}#tiny")
    assert server.paths == []


@pytest.mark.parametrize("name", ["org/name", "../../base", "../..", "../../../base", "~/base", "/srv/base", ".", "/"])
def test_what_lies_elsewhere_is_named_for_the_user_to_confirm(adapter: Path, name: str) -> None:
    over(adapter, name)
    said = refusal(adapter)
    assert "adapter_config.json: names" in said
    assert f"--base {name}" in said.replace("'", "")


def test_the_revision_is_part_of_what_is_to_be_confirmed(adapter: Path) -> None:
    over(adapter, "org/name", revision="v2")
    assert "add --base org/name@v2" in refusal(adapter)


def test_a_link_to_elsewhere_is_no_folder_next_to_the_adapter(adapter: Path, tmp_path: Path) -> None:
    (adapter.parent / "linked").symlink_to(tmp_path / "base")
    (adapter / "inside").symlink_to(tmp_path / "base")
    for name in ("../linked", "inside", str(adapter.parent / "linked")):
        over(adapter, name)
        assert "--base" in refusal(adapter)


@pytest.mark.parametrize("name", ["../base", "base", "{}", "./../base/", "../adapter/../base"])
def test_a_folder_next_to_the_adapter_is_its_base(
    adapter: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path / "far")
    over(adapter, name.format(adapter.parent / "base"))
    found = resolve(str(adapter))
    assert found.parent_fingerprint == resolve(str(adapter.parent / "base")).fingerprint
    assert found.path == (adapter.parent / "base").resolve()
    inside = adapter / "below" / "base"
    shutil.copytree(adapter.parent / "base", inside)
    over(adapter, "below/base")
    assert resolve(str(adapter)).path == inside.resolve()


def test_a_folder_that_is_called_as_a_server_is_a_folder(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(adapter.parent)
    (adapter.parent / "base").rename(adapter.parent / "openai:http")
    over(adapter, "openai:http")
    assert resolve(str(adapter)).path.name == "openai:http"


def test_a_config_that_is_no_name_is_refused(adapter: Path) -> None:
    for name in (None, "", 7, ["../base"], {"a": "../base"}):
        over(adapter, name)
        assert "names no base model" in refusal(adapter)
    for name in ("\0", "x" * 10_000, "a\nb", "\x1b[2J"):
        over(adapter, name)
        assert "as its base" in refusal(adapter)


PIECES = st.lists(st.sampled_from(["..", ".", "", "a", "base", "adapter", "~", "home", "link"]), max_size=8).map(
    "/".join
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name in ("home/adapter/base", "home/base", "home/a/base", "base", "a"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "home" / "link").symlink_to(root / "base")
    return root


@given(name=PIECES | PIECES.map(lambda name: "/" + name) | st.text(max_size=20))
def test_whatever_the_name_it_leads_nowhere_else(tree: Path, name: str) -> None:
    adapter = (tree / "home" / "adapter").resolve()
    for path in beside(name, adapter):
        real = path.resolve()
        assert real != adapter
        assert real.is_relative_to(adapter) or real.parent == adapter.parent
    for path in below(name, tree / "home"):
        assert path.resolve().is_relative_to((tree / "home").resolve())
