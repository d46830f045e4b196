"""An engineer argues with the plan until it fits: she asks why, pins, edits, is refused, corrects, and has it approved.

Anna plans the move of eleven workplaces of a small town; Bert has to agree. Each test is one conversation. The commands
are those that Anna types; only the machines do not exist, because nothing here is moved.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.cli.main import app, global_first
from tests.orchestrator.core.builders import KEY

NIGHTS = tuple(datetime.now(UTC).date() + timedelta(days=number) for number in range(2, 12))
POLICY = """
zone = "Europe/Berlin"
holidays = ""
assets_per_window = 4
canary_size = 1
batch_size = 4
""" + "".join(
    f"[[window]]\nopens = {night}T21:00:00Z\ncloses = {night + timedelta(days=1)}T03:00:00Z\n" for night in NIGHTS
)
"""Nights of the coming days by their dates: with weekly hours the first one might be open just now, or half over."""
OFFICES = {
    "Bürgeramt": ("apc-01", "apc-02", "apc-03", "apc-04"),
    "Kämmerei": ("apc-05", "apc-06", "apc-07", "apc-08"),
    "Stadtbücherei": ("apc-09", "apc-10", "apc-11"),
}


@dataclass(frozen=True)
class Talk:
    """Anna's and Bert's terminals."""

    place: Path

    def kahn(self, *words: str, by: str = "anna") -> str:
        """What the command answers; it must succeed."""
        result = self._run(words, by)
        assert result.exception is None, (words, result.exception, result.output)
        return str(result.output)

    def refused(self, *words: str, by: str = "anna") -> str:
        """What the command says before and when it refuses."""
        result = self._run(words, by)
        assert result.exception is not None, (words, result.output)
        return f"{result.output}\n{result.exception}"

    def answer(self, *words: str) -> Any:
        """The command's JSON answer."""
        return json.loads(self.kahn("--json", *words))

    def _run(self, words: tuple[str, ...], by: str) -> Any:
        front = ["--home", str(self.place / "home"), "--tenant", "musterstadt", "--plain", "--yes"]
        signer = {"KAHN_LANG": "en", "KAHN_PERSON": by, "KAHN_KEY": str(self.place / by)}
        return CliRunner().invoke(app, [*front, *global_first(list(words))], env=signer)

    # -- what Anna sees

    def wave_of(self, asset: str) -> str:
        return str(self.answer("plan", "explain", asset)["wave"])

    def in_wave(self, key: str) -> set[str]:
        return {row["name"] for row in self.answer("wave", "show", key)["moves"]}

    def state(self, key: str) -> str:
        return next(str(wave["state"]) for wave in self.answer("wave", "list") if wave["wave"] == key)

    # -- what Anna does outside of Kahn

    def types_into_the_spreadsheet(self, **waves: str) -> Path:
        """Exports the plan, opens it, types other waves beside some names (apc_01="W02"), and saves."""
        file = self.place / "plan.csv"
        self.kahn("plan", "export", "-o", str(file))
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened, delimiter=";"))
        for row in rows:
            row["wave"] = waves.get(row["asset"].replace("-", "_"), row["wave"])
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)
        return file


def inventory(*, without_successor: str = "") -> dict[str, Any]:
    """Old machines by office with their successors, a vault, and two cashiers' machines that share a licence."""
    machines: list[dict[str, Any]] = [_machine("vault", 250, role="vault", kind="server")]
    for number, (office, name) in enumerate((office, name) for office, names in OFFICES.items() for name in names):
        new = name.replace("apc", "new")
        old = _machine(name, number + 1, department=office, kind="workstation")
        if name == without_successor:
            machines.append(old)
        else:
            heir = _machine(new, number + 101, department=office, kind="workstation")
            machines += [{**old, "successor": new}, heir]
    shared = {"from": "apc-07", "needs": "apc-08", "kind": "licence"}
    offices = [{"name": office} for office in OFFICES]
    return {"kahn_inventory": 1, "departments": offices, "machines": machines, "dependencies": [shared]}


def _machine(name: str, number: int, **more: str) -> dict[str, Any]:
    return {"name": name, "address": f"192.0.2.{number}", "access": "lan", "host_key": KEY, **more}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town is set up, its inventory is in; one machine of the library has no successor yet."""
    place = tmp_path_factory.mktemp("town") / "musterstadt"
    place.mkdir()
    for person in ("anna", "bert"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / person], check=True)
    (place / "policy.toml").write_text(POLICY)
    talk = Talk(place)
    talk.kahn("init", str(place / "home"))
    talk.kahn("tenant", "add", "musterstadt", "--policy", str(place / "policy.toml"))
    for person in ("anna", "bert"):
        talk.kahn("person", "add", person, "--key", str(place / f"{person}.pub"))
    talk.kahn("access", "add", "lan", "--user", "root", "--key", str(place / "anna"))
    imported(talk, inventory(without_successor="apc-11"))
    return place


@pytest.fixture
def talk(town: Path, tmp_path: Path) -> Talk:
    """Each conversation begins in a copy of that town."""
    shutil.copytree(town, tmp_path / "town")
    return Talk(tmp_path / "town")


def imported(talk: Talk, document: dict[str, Any]) -> None:
    file = talk.place / "inventory.json"
    file.write_text(json.dumps(document))
    talk.kahn("asset", "import", str(file))


def test_why_is_that_one_in_no_wave(talk: Talk) -> None:
    """The plan leaves a machine out and says why; once its successor is known, the next plan takes it."""
    proposal = talk.kahn("plan", "propose")
    assert "10 assets in 3 waves, 1 left over" in proposal
    assert "apc-11 is in no wave" in talk.kahn("plan", "why-not", "apc-11")
    assert "It names no successor." in talk.kahn("plan", "why-not", "apc-11")

    imported(talk, inventory())

    assert "11 assets in 3 waves" in talk.kahn("plan", "propose")
    assert talk.wave_of("apc-11") != ""


def test_the_counter_must_not_be_the_first_to_go(talk: Talk) -> None:
    """The citizens' office asks for another night. A pin says so, and the next plan keeps it and tells what changed."""
    talk.kahn("plan", "propose")
    first = talk.wave_of("apc-01")
    assert first == "W01"

    talk.kahn("plan", "pin", "apc-01", "W03", "--reason", "the counter is open on that evening")
    proposal = talk.kahn("plan", "propose")

    assert talk.wave_of("apc-01") == "W03"
    assert "1 from W01 to W03: apc-01." in proposal
    assert "A person pinned it to W03." in talk.kahn("plan", "explain", "apc-01")
    assert "apc-01 moves 2 days later." in talk.kahn("plan", "diff")


def test_the_spreadsheet_comes_back_with_mistakes(talk: Talk) -> None:
    """A night is overfilled, a wave is mistyped, a pair is torn: each is named, and the plan in force stays."""
    talk.kahn("plan", "propose")
    before = talk.answer("plan", "show")["fingerprint"]
    pair, other = talk.wave_of("apc-07"), "W01" if talk.wave_of("apc-07") != "W01" else "W03"

    torn = talk.types_into_the_spreadsheet(apc_02="W33", apc_07=other)
    said = talk.refused("plan", "import", str(torn))
    assert "column wave: The plan has no wave 'W33'; it has W01, W02, W03." in said
    assert f"'apc-07' moves together with 'apc-08' (licence), which the file leaves in, or moves to, {pair}." in said

    everyone = {name.replace("-", "_"): "W01" for name in OFFICES["Kämmerei"]}
    said = talk.refused("plan", "import", str(talk.types_into_the_spreadsheet(**everyone)))
    assert "W01 has" in said and "a window takes 4" in said

    assert talk.answer("plan", "show")["fingerprint"] == before
    assert talk.answer("plan", "pin") == []


def test_the_corrected_spreadsheet_is_taken_and_stays(talk: Talk) -> None:
    """Two machines change places. The plan is stored with that, and planning again does not undo it."""
    talk.kahn("plan", "propose")
    going, coming = "apc-02", sorted(talk.in_wave("W03"))[-1]

    file = talk.types_into_the_spreadsheet(**{going.replace("-", "_"): "W03", coming.replace("-", "_"): "W01"})
    said = talk.kahn("plan", "import", str(file), "--reason", "holiday in the office")
    assert f"1 from W01 to W03: {going}." in said and f"1 from W03 to W01: {coming}." in said

    assert "No asset changes its wave" in talk.kahn("plan", "propose")
    assert (talk.wave_of(going), talk.wave_of(coming)) == ("W03", "W01")


def test_an_approval_does_not_survive_an_edit(talk: Talk) -> None:
    """Bert has approved; Anna moves a pair after all. Kahn says whose approval is void, and Bert must look again."""
    imported(talk, inventory())
    talk.kahn("plan", "propose")
    talk.kahn("plan", "pin", "apc-11", "--not-before", "2099-01-01", "--reason", "the library is being rebuilt")
    talk.kahn("plan", "propose")
    for key in ("W01", "W02", "W03"):
        talk.kahn("wave", "approve", key, by="bert")
    pair, room = talk.wave_of("apc-07"), _with_room(talk, 2)
    assert pair != room

    said = talk.kahn("plan", "edit", "apc-07", "--to", room)
    assert f"2 from {pair} to {room}: apc-07, apc-08." in said
    assert f"{room} changed and is proposed again; approvals it had are void." in said
    untouched = ({"W01", "W02", "W03"} - {pair, room}).pop()
    assert f"{untouched} stays as it is, with its approvals." in said
    assert (talk.state(room), talk.state(untouched)) == ("proposed", "approved")

    talk.kahn("wave", "approve", room, by="bert")
    assert talk.state(room) == "approved"


def _with_room(talk: Talk, places: int) -> str:
    """A wave with so many free places; Anna makes them by sending others on, if there is none."""
    size = {key: len(talk.in_wave(key)) for key in ("W01", "W02", "W03")}
    return next(key for key, count in sorted(size.items(), key=lambda one: one[1]) if count + places <= 4)


def test_what_if_the_second_night_falls_through(talk: Talk) -> None:
    """A question only: the answer names the wave that waits and what becomes of the end; nothing is stored."""
    talk.kahn("plan", "propose")
    before = talk.answer("plan", "show")["fingerprint"]

    said = talk.kahn("plan", "delay", "W02", "--days", "7")

    assert "W02 moves from " in said and "No other wave has to move." in said
    assert "The last wave comes 6 days later" in said
    assert talk.answer("plan", "show")["fingerprint"] == before
