"""The help of every command: whole at the width of a small window, and of a large one."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import console
from harness.cli.app import app
from harness.cli.screens.help import HelpedCommand, HelpedGroup


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, group
    for name, one in getattr(group, "commands", {}).items():
        yield from commands(one, (*path, name))


ALL = list(commands(typer.main.get_command(app)))


@pytest.fixture(params=[80, 140])
def helped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(console.output, "width", request.param)

    def printed(path: tuple[str, ...]) -> list[str]:
        found = CliRunner().invoke(app, [*path, "--help"])
        assert found.exit_code == 0, found.output
        lines = found.output.splitlines()
        assert max(map(len, lines)) <= request.param
        return lines

    return printed


def test_every_command_prints_its_help_by_the_same_code() -> None:
    assert len(ALL) > 25
    assert all(isinstance(one, (HelpedCommand, HelpedGroup)) for _, one in ALL)


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) or "harness" for path, _ in ALL])
def test_nothing_is_cut_and_every_name_is_whole(path: tuple[str, ...], command: Any, helped: Any) -> None:
    lines = helped(path)
    assert not [line for line in lines if "…" in line]
    words = {word.strip(",") for line in lines for word in line.split()}
    for one in command.params:
        if one.param_type_name == "option":
            assert {*one.opts, *one.secondary_opts} <= words
    assert set(getattr(command, "commands", {})) <= words
    # What a program calls a type says nothing to people.
    assert not words & {"<str>", "<bool>", "<int>", "<list[str]>", "<path>", "range>"}


def test_ranges_and_defaults_are_told_in_words(helped: Any) -> None:
    told = " ".join(" ".join(helped(("leaderboard",))).replace("│", "").split())
    assert "[default: 8501; 1 to 65535]" in told
    assert "[default: 127.0.0.1]" in told
    told = " ".join(" ".join(helped(("eval",))).replace("│", "").split())
    assert "[default: those of the machine, shared among the workers; 1 to 1024]" in told
    assert "[default: 600; at least 0.1]" in told
