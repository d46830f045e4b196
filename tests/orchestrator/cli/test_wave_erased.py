"""``kahn wave erased`` and the list of what is kept, from a terminal."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from orchestrator.cli import asset, wave_control
from orchestrator.cli.context import Context, NotConfirmed
from orchestrator.cli.main import app as _app  # the commands are put together there
from orchestrator.cli.status import status
from orchestrator.cli.wave_erased import BadDay, ErasedHow, NoCertificate
from orchestrator.core.retention import ErasedForGood, StillKept
from tests.known_town import call
from tests.orchestrator.cli.lone import command_app
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import Town

assert _app is not None


def kept(folder: Path, *, days: int = 90) -> tuple[Context, Town, Path]:
    """A town whose two seats were replaced so many days ago, and a certificate."""
    context, town = a_terminal(folder, "started")
    town.drive()
    town.clock.moment += timedelta(days=days)
    paper = folder / "nachweis ä.pdf"
    paper.write_bytes(b"shredded")
    return context, town, paper


def erased(context: Context, town: Town, paper: Path, *names: str, **options: str) -> Result:
    told = {"by": "Muster GmbH", "how": "shredded", "as": "anna", "key": str(town.anna.key_file), **options}
    words = [word for name, value in told.items() for word in (f"--{name}", value)]
    return call(wave_control.app, context, "erased", "W01", *names, "--certificate", str(paper), *words)


def test_old_workstations_are_listed_erased_with_a_certificate_and_never_taken_back(tmp_path: Path) -> None:
    context, town, paper = kept(tmp_path)
    assert "2 of them may be erased today" in call(asset.app, context, "due").output
    assert "kahn wave erased W01" in " ".join(call(command_app(status), context, "--needs-me").output.split())
    shown = erased(context, town, paper, "apc-001")
    assert shown.exit_code == 0 and hashlib.sha256(b"shredded").hexdigest() in "".join(shown.output.split())
    listed = json.loads(call(asset.app, sitting_down(town, json=True), "due", "--all").stdout)
    by_name = {one["name"]: one for one in listed}
    assert by_name["apc-001"]["erased"]["certificate"] == "nachweis ä.pdf" and by_name["apc-001"]["state"] == "erased"
    assert by_name["apc-002"]["due"] is True and by_name["apc-002"]["machine"] == "apc-002"
    with pytest.raises(ErasedForGood):
        call(wave_control.app, context, "rollback", "W01", "--preview")
    assert "handed over: 2" in call(wave_control.app, context, "handover", "W01").output


def test_what_proves_nothing_or_comes_too_early_is_refused(tmp_path: Path) -> None:
    context, town, paper = kept(tmp_path, days=89)
    with pytest.raises(StillKept):
        erased(context, town, paper, "apc-001")
    town.clock.moment += timedelta(days=3)
    with pytest.raises(BadDay):
        erased(context, town, paper, "apc-001", on="yesterday")
    for nobody in ({"by": " "}, {"how": ""}):
        with pytest.raises(ErasedHow):
            erased(context, town, paper, "apc-001", **nobody)
    empty = tmp_path / "empty.pdf"
    empty.touch()
    for bad in (empty, tmp_path, tmp_path / "not-there"):
        with pytest.raises(NoCertificate):
            erased(context, town, bad, "apc-001")
    context.yes = False
    with pytest.raises(NotConfirmed):
        erased(context, town, paper, "apc-001")
    assert set(town.states().values()) == {"moved"}


def test_before_anybody_signs_the_machines_day_and_company_are_shown(tmp_path: Path) -> None:
    """A slip in a name is for good: what is signed stands above the question."""
    context, town, paper = kept(tmp_path)
    shown = erased(context, town, paper, "apc-002", by="Muster\x1b[31m GmbH", how="shredded").output
    day = town.clock.moment.date().isoformat()
    assert f"Erased on {day} by Muster\\x1b[31m GmbH; how: shredded" in shown and "  apc-002: apc-002" in shown
    assert "apc-001" not in shown and "\x1b" not in shown
    assert "One old machine is kept" in call(asset.app, context, "due").output
