"""The stand-in for Ansible: real spool and receipts, machines that are small files, and no ansible anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.adapters.spool_reader import read_spool
from orchestrator.core.likeness import portrait_of
from orchestrator.core.outcome import outcomes
from orchestrator.lab import stand_in


def a_run(state: Path, name: str, *, direction: str = "do", once: bool = True, settled: tuple[str, ...] = ()) -> Path:
    """A run directory with one attempt on one machine."""
    folder = state / "runs" / name
    folder.mkdir(parents=True)
    attempt = {"id": f"t-{name}", "asset": "pc-1", "settled": list(settled)}
    manifest = {
        "run": name, "step": "switch", "direction": direction, "epoch": 1, "attempts": [attempt],
        "playbooks": ["switch.yml", "verify.yml"],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "run.yml").write_text("kahn_claim" if once else "kahn_reach")
    (folder / "alive.lock").touch()
    return folder


def played(folder: Path) -> tuple[str, str]:
    """Outcome and cause of the machine."""
    program = stand_in.install(folder.parents[1])
    subprocess.run((program, "run.yml"), cwd=folder, check=False)
    spool = read_spool((folder / "spool.jsonl").read_bytes(), offset=0)
    found = outcomes(spool.lines, hosts=("pc-1",), started=True, exited=True, last_seq=spool.last_seq)
    return found["pc-1"].kind, found["pc-1"].cause


def ledger(state: Path) -> list[str]:
    path = state / "hosts" / "pc-1.ledger"
    return path.read_text().splitlines() if path.exists() else []


def test_a_step_is_done_once_and_taken_back_and_each_is_written_down(tmp_path: Path) -> None:
    assert played(a_run(tmp_path, "r1")) == ("done", "")
    assert played(a_run(tmp_path, "r2", direction="undo", once=False)) == ("done", "")
    assert ledger(tmp_path) == ["do switch t-r1", "undo switch t-r2"]


def test_a_second_attempt_is_refused_unless_the_books_say_the_first_is_over(tmp_path: Path) -> None:
    played(a_run(tmp_path, "r1"))
    assert played(a_run(tmp_path, "r2")) == ("not_started", "begun_elsewhere")
    assert played(a_run(tmp_path, "r3", settled=("t-r1",))) == ("done", "")


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("unreachable switch", ("not_started", "unreachable")),
        ("failed switch disk_full", ("failed", "disk_full")),
        ("failed other disk_full", ("done", "")),
    ],
)
def test_a_machine_has_the_trouble_that_its_file_names(tmp_path: Path, fault: str, found: tuple[str, str]) -> None:
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "pc-1.fault").write_text(fault)
    assert played(a_run(tmp_path, "r1")) == found


def test_it_says_what_it_is(tmp_path: Path) -> None:
    said = subprocess.run((stand_in.install(tmp_path), "--version"), capture_output=True, text=True, check=True).stdout
    assert said.strip() == stand_in.SAYS == "simulated machines, no ansible at all"


def test_a_stand_in_is_known_from_a_real_program_and_from_none(tmp_path: Path) -> None:
    assert stand_in.is_stand_in(stand_in.install(tmp_path))
    assert not stand_in.is_stand_in(Path(sys.executable)) and not stand_in.is_stand_in(tmp_path / "none")


@pytest.mark.parametrize("direction", ["baseline", "after"])
def test_machines_tell_what_they_offer_before_and_after(tmp_path: Path, direction: str) -> None:
    folder = a_run(tmp_path, "r1", direction=direction, once=False)
    assert played(folder) == ("done", "")
    reports = [line.fields.get("kahn") for line in read_spool((folder / "spool.jsonl").read_bytes(), offset=0).lines]
    assert [portrait_of(one) for one in reports if one and portrait_of(one)]
