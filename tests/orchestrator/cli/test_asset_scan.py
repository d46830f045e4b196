"""``kahn asset scan``: what a person is shown and asked, what is written, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inventory.model import Asset, AssetId, AssetKind, Snapshot
from orchestrator.actions.scan_keys import NothingToScan, NotScanned
from orchestrator.cli.asset import app
from orchestrator.cli.context import Context, NotConfirmed
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.host_keys import fingerprint
from orchestrator.lab.lab import Lab, seat_specs
from tests.estates import TENANT, an_asset
from tests.labs import lab
from tests.planning_town import a_home

__all__ = ["lab"]
LAB = "abfrage"


def called(home: Context, *words: str, yes: bool = True, as_json: bool = False) -> Result:
    context = Context(home=home.home, tenant_name=TENANT, plain=True, yes=yes, json=as_json)
    return CliRunner().invoke(app, ["scan", *words], obj=context)


def a_lone_home(tmp_path: Path, *assets: Asset) -> Context:
    return a_home(tmp_path, estate=Snapshot(tenant=TENANT, assets=assets, dependencies=()))


def test_a_machine_that_cannot_be_asked_is_told_with_its_reason_and_ends_with_7(tmp_path: Path) -> None:
    home = a_lone_home(tmp_path, an_asset("pc-1", access="no-such", address="192.0.2.1"))
    result = called(home)
    assert (result.exit_code, "its access profile 'no-such' does not exist" in result.output) == (7, True)
    assert "Machines: 1, new 0, same 0, changed 0, without a key 1; written 0." in result.output
    answer = json.loads(called(home, as_json=True).stdout)
    assert (answer["machines"][0]["cause"], answer["counts"]["failed"]) == ("profile_unknown", 1)


def test_names_that_are_not_there_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    home = a_lone_home(tmp_path, an_asset("pc-1", access="no-such", address="192.0.2.1"))
    assert isinstance(called(home, "pc-2").exception, NothingToScan)
    assert isinstance(called(home, "--replace", "pc-2").exception, NotScanned)
    assert isinstance(called(home, "--replace", "pc-2=SHA256:x").exception, NotScanned)


# --------------------------------------------------------------------------- the lab


@pytest.fixture(scope="module")
def machines(lab: Lab) -> tuple[Asset, ...]:
    """The lab's machines as an inventory would have them before the first contact: without any key."""
    lab.up(tenant=LAB, specs=seat_specs(1))
    hosts = [host for host in lab.access(LAB).hosts if host.role != "jump"]
    return tuple(
        Asset(
            id=AssetId(host.name),
            tenant=TENANT,
            kind=AssetKind.SERVER,
            name=host.name,
            values={"address": host.address, "access": "lab"},
        )
        for host in hosts
    )


@pytest.fixture
def home(lab: Lab, machines: tuple[Asset, ...], tmp_path: Path) -> Context:
    made, access = a_lone_home(tmp_path, *machines), lab.access(LAB)
    jump = JumpHost(address=access.jump_address, host_key=access.jump_host_key)
    with made.world.transaction() as books:
        profile = AccessProfile(name="lab", user="root", key_file=str(access.key_path), jump=jump)
        books.tenants.put_access(TENANT, profile)
    return made


def scanned(lab: Lab, home: Context, *words: str, yes: bool = True) -> Result:
    with lab.controller():
        return called(home, *words, yes=yes)


def document(lab: Lab, home: Context, *words: str) -> dict[str, Any]:
    with lab.controller():
        answer = json.loads(called(home, *words, as_json=True).stdout)
    return {one["name"]: one for one in answer["machines"]}


def keys(home: Context) -> dict[str, str]:
    with home.world.store.reading() as books:
        return {one.name: one.text("host_key") for one in books.assets.snapshot(TENANT).assets}


def true_keys(lab: Lab, home: Context) -> dict[str, str]:
    """What lies on the machines themselves."""
    path = "/etc/ssh/ssh_host_ed25519_key.pub"
    return {name: " ".join(lab.host(name, tenant=LAB).run("cat", path).split()[:2]) for name in keys(home)}


@pytest.mark.lab
def test_new_keys_are_written_only_once_confirmed_and_then_are_the_same(lab: Lab, home: Context) -> None:
    assert isinstance(scanned(lab, home, yes=False).exception, NotConfirmed)
    assert scanned(lab, home, "--dry-run").exit_code == 0
    assert set(keys(home).values()) == {""}
    first = scanned(lab, home)
    assert (first.exit_code, keys(home)) == (0, true_keys(lab, home))
    assert all(fingerprint(key) in first.output for key in keys(home).values())
    again = scanned(lab, home, yes=False)
    assert (again.exit_code, "same 3" in again.output) == (0, True)


@pytest.mark.lab
def test_a_changed_key_is_kept_until_the_right_fingerprint_is_named(lab: Lab, home: Context) -> None:
    scanned(lab, home)
    before = keys(home)
    lab.fault(lab.host("apc-0001", tenant=LAB), "rekey")
    for words in ([], ["--replace", "apc-0001"], ["--replace", f"apc-0001={fingerprint(before['vault'])}"]):
        result = scanned(lab, home, *words)
        assert (result.exit_code, "apc-0001: kept" in result.output, keys(home)) == (4, True, before)
    found = document(lab, home, "apc-*")["apc-0001"]
    assert (found["verdict"], found["known_fingerprint"]) == ("changed", fingerprint(before["apc-0001"]))
    done = scanned(lab, home, "--replace", f"APC-0001={found['fingerprint']}")
    assert (done.exit_code, keys(home)) == (0, true_keys(lab, home))


@pytest.mark.lab
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 4)])
def test_a_person_is_asked_about_each_changed_key_with_both_fingerprints_even_with_yes(
    lab: Lab, home: Context, answer: str, code: int
) -> None:
    scanned(lab, home)
    before = keys(home)["neu-0001"]
    lab.fault(lab.host("neu-0001", tenant=LAB), "rekey")
    said, ended = answered(lab, home, answer)
    after = true_keys(lab, home)["neu-0001"]
    assert ended == code, said
    assert said.count(fingerprint(before)) >= 2 and said.count(fingerprint(after)) >= 2
    assert keys(home)["neu-0001"] == (after if code == 0 else before)


def answered(lab: Lab, home: Context, answer: str) -> tuple[str, int]:
    """What the real command says to somebody at a terminal who types that answer, and how it ends."""
    words = ("--yes", "--plain", "--tenant", TENANT, "--home", str(home.home))
    command = (sys.executable, "-m", "orchestrator.cli.main", *words, "asset", "scan", "--replace", "neu-0001")
    person, keyboard = pty.openpty()
    try:
        os.write(person, answer.encode())
        ran = subprocess.run(lab.inside(*command), stdin=keyboard, capture_output=True, text=True, timeout=400)
        return ran.stdout + ran.stderr, ran.returncode
    finally:
        os.close(person)
        os.close(keyboard)


@pytest.mark.lab
def test_a_machine_cut_off_ends_with_7_and_the_others_are_written(lab: Lab, home: Context) -> None:
    lab.fault(lab.host("vault", tenant=LAB), "refuse")
    try:
        result = scanned(lab, home)
    finally:
        lab.fault(lab.host("vault", tenant=LAB), "heal")
    assert (result.exit_code, "refuses connections" in result.output) == (7, True)
    assert {name for name, key in keys(home).items() if key} == {"apc-0001", "neu-0001"}
