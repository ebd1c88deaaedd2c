"""A user's YAML is read within bounds."""

from pathlib import Path

import pytest

from harness.core.errors import TaskError
from harness.core.text.yamlfile import MAX_BYTES, read_yaml
from tests.limits import bounded_memory


def test_a_file_without_end_is_read_no_further_than_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.symlink_to("/dev/full")
    with bounded_memory(), pytest.raises(TaskError, match="is larger than 1,000,000 bytes"):
        read_yaml(path)


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: mine\n".ljust(MAX_BYTES, b"#"))
    assert read_yaml(path) == {"name": "mine"}
    path.write_bytes(path.read_bytes() + b"#")
    with pytest.raises(TaskError, match="is larger"):
        read_yaml(path)
