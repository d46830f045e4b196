"""Runs by real Ansible and its own `psrp` connection, against a protocol double: nothing here ever ran on Windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inventory.psrp_options import Psrp
from orchestrator.adapters.run_directory import RunRefused
from orchestrator.lab.certificates import a_certificate
from orchestrator.lab.psrp_double import Double, a_double
from orchestrator.run_ports import RunOrder
from orchestrator.supervisor import files
from tests.run_orders import TREE, Field

pytestmark = pytest.mark.ansible

MODULE = """#!powershell
#AnsibleRequires -CSharpUtil Ansible.Basic
$module = [Ansible.Basic.AnsibleModule]::Create($args, @{ options = @{ path = @{ type = 'str' } } })
$module.Result.kahn = @{ path = $module.Params.path }
$module.ExitJson()
"""
ODD = 'C:\\Users\\Jürgen Groß\\..\\it\'s "x" $env:TEMP `n ☃ {{ 1 + 1 }}.txt'
TASKS = "- kahn_windows_try: {path: '{{ kahn_asset }}'}"


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    made = Field(state=tmp_path / "state")
    library = made.state / "trees" / TREE / "library"
    library.mkdir(parents=True)
    (library / "kahn_windows_try.ps1").write_text(MODULE)
    (tmp_path / "password").write_text("geheim {{ 1 + 1 }}\n")
    yield made
    assert made.leave() == ()


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    def tried(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"changed": False, "kahn": {"path": ODD, "asked": arguments["path"]}}

    certificate = a_certificate(tmp_path / "tls")
    with a_double(certificate=certificate, modules={"kahn_windows_try": tried}, password="geheim {{ 1 + 1 }}") as made:
        yield made


def an_order(field: Field, double: Double, tasks: str = TASKS) -> RunOrder:
    """An order on the double, known by its certificate and opened by the password in the file."""
    order = field.order(tasks)
    (profile,), (move,) = order.content.access, order.content.moves
    profile = replace(
        profile,
        user="kahn",
        port=double.port,
        key_file=str(field.state.parent / "password"),
        psrp=Psrp(login="basic"),
    )
    machine = replace(move.machine("source"), address="localhost", host_key=double.host_key)
    moves = (replace(move, machines=(machine,)),)
    return replace(order, content=replace(order.content, moves=moves, access=(profile,)))


def test_a_step_is_proven_done_and_its_report_comes_back_whole(field: Field, double: Double) -> None:
    outcome = field.played(an_order(field, double))["pc-1"]
    assert (outcome.kind, double.asked) == ("done", ["exit 0", "kahn_windows_try"])
    assert outcome.evidence["kahn"] == {"path": ODD, "asked": "pc-1"}


def test_the_password_lies_in_no_file_of_the_run(field: Field, double: Double) -> None:
    order = an_order(field, double)
    field.played(order)
    files_of_run = [one for one in field.directory(order).rglob("*") if one.is_file()]
    assert files_of_run and not [one for one in files_of_run if b"geheim" in one.read_bytes()]


def test_a_wrong_password_is_not_started(field: Field, double: Double) -> None:
    double.password = "anders"
    outcome = field.played(an_order(field, double))["pc-1"]
    assert (outcome.kind, outcome.cause) == ("not_started", "unreachable")
    assert "authenticate" in outcome.msg


def test_a_machine_with_another_certificate_is_not_started_and_told_nothing(
    field: Field, double: Double, tmp_path: Path
) -> None:
    with a_double(certificate=a_certificate(tmp_path / "other")) as other:
        order = an_order(field, double)
        move = order.content.moves[0]
        machines = (replace(move.machines[0], host_key=other.host_key),)
        order = replace(order, content=replace(order.content, moves=(replace(move, machines=machines),)))
    outcome = field.played(order)["pc-1"]
    assert (outcome.kind, outcome.cause, double.asked) == ("not_started", "unreachable", [])


def test_a_line_that_breaks_after_the_work_was_done_leaves_the_step_unknown(field: Field, double: Double) -> None:
    double.drops = "kahn_windows_try"
    outcome = field.played(an_order(field, double))["pc-1"]
    assert outcome.kind == "unknown"
    assert double.asked == ["exit 0", "kahn_windows_try"]


def test_a_step_that_fails_there_says_why(field: Field, double: Double) -> None:
    said = {"failed": True, "msg": "no \x1b[31mroom", "kahn": {"cause": "disk_full"}}
    double.modules["kahn_windows_try"] = lambda _arguments: said
    outcome = field.played(an_order(field, double))["pc-1"]
    assert (outcome.kind, outcome.cause) == ("failed", "disk_full")
    assert "\x1b" not in outcome.msg


def test_a_report_that_is_far_too_long_is_cut(field: Field, double: Double) -> None:
    double.modules["kahn_windows_try"] = lambda _arguments: {"changed": False, "kahn": {"names": ["x" * 100] * 50_000}}
    outcome = field.played(an_order(field, double))["pc-1"]
    assert outcome.kind == "done" and outcome.evidence["kahn"]["truncated"] is True


def test_a_host_key_of_ssh_does_not_stand_for_a_certificate(field: Field, double: Double) -> None:
    order = an_order(field, double)
    move = order.content.moves[0]
    machines = (replace(move.machines[0], host_key=field.order(TASKS).content.moves[0].machines[0].host_key),)
    with pytest.raises(RunRefused, match="PSRP needs a certificate"):
        field.runs.start(replace(order, content=replace(order.content, moves=(replace(move, machines=machines),))))


def test_the_certificate_is_among_the_files_whose_checksum_is_kept(field: Field, double: Double) -> None:
    order = an_order(field, double)
    field.played(order)
    text = (field.directory(order) / files.MANIFEST).read_text()
    assert '"known_hosts.k1.pem"' in text
