"""`move-windows-server` by the real engine, real Ansible and real PSRP, on doubles that run no PowerShell."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.windows_seats import OLD
from tests.playbooks.windows_servers import FILES, ServerTown, a_town_with_a_server
from tests.towns import STADT

pytestmark = pytest.mark.ansible


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    sockets = Path(tempfile.mkdtemp(prefix="kw-", dir="/tmp"))
    yield tmp_path, sockets
    shutil.rmtree(sockets)


def causes_of(town: ServerTown) -> str:
    """All that the journal says."""
    with town.town.store.reading() as books:
        return str([one.entry.body for one in books.journal.read(STADT)])


def back_as_it_was(town: ServerTown) -> None:
    """Let everything go back, people saying yes to each of their undo steps."""
    town.drive(until="desk")
    while town.waiting():
        assert town.say().startswith("undo:")
        town.drive(until="desk")
    assert town.town.states() == {OLD: "rolled_back"}


def test_a_server_that_nobody_described_is_refused_before_anything_is_touched(place: tuple[Path, Path]) -> None:
    nothing = "windows_servers: {}\nwindows_server: {}\n"
    with a_town_with_a_server(*place, described=nothing) as town:
        before = town.source.stands()
        town.drive(until="rest")
        assert "server_not_described" in causes_of(town)
        assert town.source.stands() == before and town.source.seen == [("looked", ())]


@pytest.mark.long
def test_a_server_moves_and_goes_back_as_it_was(place: tuple[Path, Path]) -> None:
    with a_town_with_a_server(*place) as town:
        before = town.source.stands(), town.target.stands()
        town.drive(until="desk")
        assert town.say() == "do:prepare" and before == (town.source.stands(), town.target.stands())
        town.drive(until="desk")
        assert town.waiting() == ["do:switch"]
        assert town.source.services == before[0]["services"] | dict.fromkeys(
            ("MeldeDienst", "MeldeWeb"), ("Disabled", False)
        )
        assert "Akten" not in town.source.shares and not town.source.tasks["\\Melde\\Nachtlauf"]
        assert (town.new.files, town.target.shares) == (FILES, before[0]["shares"])
        assert (town.target.services, set(town.target.tasks.values())) == (before[0]["services"], {False})
        town.say()
        town.drive(until="rest")
        assert town.town.states() == {OLD: "moved"}
        assert town.target.tasks == {"\\Melde\\Nachtlauf": True, "\\Melde\\Ruht": False}
        town.take_back()
        back_as_it_was(town)
        assert (town.source.stands(), town.target.stands()) == before
        assert list(town.old.share.values()) == [{}]


@pytest.mark.long
def test_files_are_carried_while_users_work_and_only_what_changed_while_the_server_stands_still(
    place: tuple[Path, Path],
) -> None:
    with a_town_with_a_server(*place) as town:
        used, gone = FILES
        town.old.in_use = {used}
        halts = town.source.stopped

        def stopped(given: dict[str, object]) -> dict[str, object]:
            assert (
                town.new.files == {gone: FILES[gone], "akten/bleibt": b"same"}
                and town.source.services["MeldeDienst"][1]
            )
            town.old.in_use = set()
            del town.old.files[gone]
            return halts(given)

        town.old.files["akten/bleibt"] = b"same"
        town.source.stopped = stopped  # type: ignore[method-assign, assignment]
        town.drive(until="desk")
        town.say()
        town.drive(until="desk")
        assert town.waiting() == ["do:switch"]
        assert town.old.sent == [(gone, "akten/bleibt"), (used,)]
        assert town.new.files == town.old.files == {used: FILES[used], "akten/bleibt": b"same"}


@pytest.mark.long
def test_a_restore_that_breaks_off_is_taken_back_without_a_trace(place: tuple[Path, Path]) -> None:
    with a_town_with_a_server(*place) as town:
        before = town.source.stands(), town.target.stands()
        town.drive(until="desk")
        town.new.stops_after = 1
        town.say()
        back_as_it_was(town)
        assert (town.source.stands(), town.target.stands()) == before


@pytest.mark.long
def test_a_note_that_was_changed_on_the_share_is_not_played_on_the_new_server(place: tuple[Path, Path]) -> None:
    with a_town_with_a_server(*place) as town:
        before = town.source.stands(), town.target.stands()
        town.drive(until="desk")
        town.say()
        stopped = town.source.stopped

        def stopped_and_tampered(given: dict[str, object]) -> dict[str, object]:
            said = stopped(given)
            town.source.kept[str(given["asset"])] = town.source.record.replace("Nachtlauf", "Fremd")
            return said

        town.source.stopped = stopped_and_tampered  # type: ignore[method-assign, assignment]
        back_as_it_was(town)
        assert "manifest_damaged" in causes_of(town)
        assert (town.source.stands(), town.target.stands()) == before


@pytest.mark.long
def test_a_share_of_that_name_on_the_new_server_is_found_before_the_old_one_is_stopped(
    place: tuple[Path, Path],
) -> None:
    with a_town_with_a_server(*place) as town:
        town.target.shares["Akten"] = "E:\\Anders"
        before = town.source.stands(), town.target.stands()
        town.drive(until="desk")
        town.say()
        back_as_it_was(town)
        assert "name_taken" in causes_of(town) and "stopped" not in [state for state, _names in town.source.seen]
        assert (town.source.stands(), town.target.stands()) == before


@pytest.mark.long
def test_a_line_that_breaks_while_the_old_server_is_stopped_is_no_failure(place: tuple[Path, Path]) -> None:
    with a_town_with_a_server(*place) as town:
        town.drive(until="desk")
        town.doubles[0].drops = "kahn_windows_server"
        town.say()
        town.drive(until="desk")
        assert town.waiting() == ["do:switch"]
        assert [state for state, _names in town.source.seen].count("stopped") == 2
        assert town.target.services["MeldeDienst"] == ("Auto", True)
