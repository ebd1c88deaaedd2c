import socket
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.core import registry
from harness.examine import doctor
from harness.examine.doctor import Diagnosis, examine


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("HARNESS_CACHE", str(folder))
    return folder


def by_name(*, offline: bool = False) -> dict[str, Diagnosis]:
    findings = examine(offline)
    assert len({finding.name for finding in findings}) == len(findings)
    return {finding.name: finding for finding in findings}


def test_every_finding_is_one_line_with_a_known_status() -> None:
    findings = by_name()
    assert all(finding.status in {"ok", "limited", "missing"} for finding in findings.values())
    assert all(finding.detail and "\n" not in finding.detail for finding in findings.values())
    assert {"python", "processor", "memory", "torch", "devices", "bfloat16", "disk", "harness.tasks"} <= findings.keys()


def test_cores_and_memory_are_those_of_this_machine() -> None:
    findings = by_name()
    assert f"{psutil.cpu_count()} threads" in findings["processor"].detail
    assert f"of {psutil.virtual_memory().total / (1 << 30):.1f} GiB" in findings["memory"].detail


def test_nothing_is_fetched_and_the_network_is_left_alone(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    attempts: list[str] = []

    def refuse(*arguments: Any, **options: Any) -> Any:
        attempts.append(str(arguments))
        raise OSError("the network is blocked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    examine(False)
    assert attempts == []
    assert not empty_cache.exists()


def test_data_sets_that_are_not_cached_are_missing_only_where_they_can_not_be_fetched() -> None:
    online, offline = by_name()["data sets"], by_name(offline=True)["data sets"]
    assert (online.status, offline.status) == ("limited", "missing")
    assert "0 of" in online.detail
    assert "piqa" in online.detail
    assert online.fix is not None
    assert "harness data fetch" in online.fix


def test_what_is_cached_is_listed_with_its_size(empty_cache: Path) -> None:
    (empty_cache / "converted" / "abc").mkdir(parents=True)
    (empty_cache / "converted" / "abc" / "config.json").write_text("{}")
    with (empty_cache / "converted" / "abc" / "model.safetensors").open("wb") as weights:
        weights.truncate(3 << 29)
    findings = by_name()
    assert "converted 1.50 GiB" in findings["cache"].detail
    assert findings["checkpoints"].status == "ok"
    assert "converted/abc" in findings["checkpoints"].detail


def test_a_cache_that_can_not_be_written_says_what_to_do(empty_cache: Path) -> None:
    empty_cache.write_text("a file stands where the folder should be")
    finding = by_name()["cache"]
    assert finding.status == "missing"
    assert "HARNESS_CACHE" in str(finding.fix)


def test_counters_that_only_root_may_read_are_limited_and_the_fix_names_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "intel-rapl:0").mkdir()
    counter = tmp_path / "intel-rapl:0" / "energy_uj"
    counter.write_text("1")
    monkeypatch.setattr(doctor, "POWERCAP", tmp_path)
    assert by_name()["energy: processor"].status == "ok"
    # The tests may run as root, who may read every file.
    monkeypatch.setattr("os.access", lambda path, *_: Path(path) != counter)
    finding = by_name()["energy: processor"]
    assert finding.status == "limited"
    assert "energy_uj" in str(finding.fix)


def test_without_counters_energy_is_called_estimated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "POWERCAP", tmp_path)
    finding = by_name()["energy: processor"]
    assert finding.status == "limited"
    assert "estimated" in finding.detail


def test_offline_flags_of_the_hub_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE=1" in by_name()["hub"].detail
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert by_name()["hub"].status == "ok"
    assert "--offline" in by_name(offline=True)["hub"].detail


def test_a_plug_in_that_fails_to_import_is_missing_with_its_cause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a_broken_plug_in.py").write_text("raise ValueError('half written')")
    monkeypatch.syspath_prepend(str(tmp_path))
    real = registry._entries
    broken = EntryPoint(name="broken", value="a_broken_plug_in:Suite", group="harness.suites")

    def with_broken(group: str) -> Any:
        return {**real(group), **({"broken": broken} if group == "harness.suites" else {})}

    monkeypatch.setattr(registry, "_entries", with_broken)
    finding = by_name()["suite broken"]
    assert finding.status == "missing"
    assert "ValueError: half written" in finding.detail
    assert finding.fix is not None
