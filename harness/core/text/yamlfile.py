"""Reads a user's YAML: plain values only, no aliases, no repeated keys, and every fault named by file and line."""

from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from harness.core.errors import TaskError

__all__ = ["read_yaml"]

MAX_BYTES = 1_000_000


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which knows no Python objects, without what makes a small file large or ambiguous."""

    @override
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        # Aliases let a file of a few hundred bytes stand for billions of values.
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*name) aren't allowed here", problem_mark=mark)
        return super().compose_node(parent, index)

    @override
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} occurs twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds. Raises `TaskError`, with the line where it is known."""
    value = _parsed(_text(path), path)
    if not isinstance(value, dict):
        raise TaskError("doesn't hold keys and values", place=path, fix="Begin with a line such as `name: my_suite`")
    return value


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)  # its size would say nothing of a device, which has no end
        if len(content) > MAX_BYTES:
            raise TaskError(f"is larger than {MAX_BYTES:,} bytes", place=path, fix="Put rows into a data file")
        text = content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise TaskError("no such file", place=path) from error
    except UnicodeDecodeError as error:
        raise TaskError(f"is not UTF-8 (byte {error.start})", place=path, fix="Save it as UTF-8") from error
    except OSError as error:
        raise TaskError(f"can't be read ({error.strerror})", place=path) from error
    if not text.strip():
        raise TaskError("is empty", place=path)
    return text


def _parsed(text: str, path: Path) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise TaskError(f"is not usable YAML: {error.problem}", place=f"{path}{where}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise TaskError(f"is not usable YAML: {str(error).splitlines()[0]}", place=path) from error
    except RecursionError as error:
        raise TaskError("is nested too deeply", place=path) from error
