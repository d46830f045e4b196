"""`replace-windows-seat` by the real engine, real Ansible and real PSRP, on doubles that run no PowerShell."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.windows_seats import FILES, OLD, WindowsTown, a_windows_town
from tests.towns import STADT

pytestmark = pytest.mark.ansible


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    sockets = Path(tempfile.mkdtemp(prefix="kw-", dir="/tmp"))
    yield tmp_path, sockets
    shutil.rmtree(sockets)


def to_the_exchange(town: WindowsTown) -> None:
    """Forward until the machines stand to be exchanged at the desk."""
    town.drive(until="desk")
    assert town.say() == "do:prepare-successor"
    town.drive(until="desk")


def test_a_seat_moves_and_goes_back_as_it_was(place: tuple[Path, Path]) -> None:
    with a_windows_town(*place) as town:
        to_the_exchange(town)
        assert town.new.files == {**FILES, "anna/Desktop/mine.txt": b"mine"}
        assert town.old.passwords == {"", "anteil"}
        assert town.say() == "do:exchange"
        town.drive(until="desk")
        assert town.say() == "do:hand-over"
        town.drive(until="rest")
        assert town.town.states() == {OLD: "moved"}
        town.take_back()
        for about in ("undo:exchange", "undo:prepare-successor"):
            town.drive(until="desk")
            assert town.say() == about
        town.drive(until="rest")
        assert town.town.states() == {OLD: "rolled_back"}
        assert (town.old.files, town.new.files) == (FILES, {"anna/Desktop/mine.txt": b"mine"})
        assert list(town.old.share.values()) == [{}]


@pytest.mark.long
def test_a_line_that_breaks_in_the_midst_of_the_restore_is_no_failure_and_the_seat_still_moves(
    place: tuple[Path, Path],
) -> None:
    with a_windows_town(*place) as town:
        town.drive(until="desk")
        town.doubles[1].drops = "kahn_windows_seat"
        town.say()
        town.drive(until="desk")
        assert town.waiting() == ["do:exchange"]
        assert town.doubles[1].asked.count("kahn_windows_seat") >= 2


@pytest.mark.long
def test_files_of_others_on_the_successor_stay_and_the_seat_goes_back(place: tuple[Path, Path]) -> None:
    with a_windows_town(*place) as town:
        foreign = {"anna/Desktop/ä.txt": b"somebody else's"}
        town.new.files |= foreign
        town.drive(until="desk")
        town.say()
        town.drive(until="desk")
        assert town.say() == "undo:prepare-successor"
        town.drive(until="rest")
        assert town.town.states() == {OLD: "rolled_back"}
        assert town.new.files["anna/Desktop/ä.txt"] == b"somebody else's"


@pytest.mark.long
def test_names_that_differ_in_capitals_only_stop_the_move_before_anything_is_carried(place: tuple[Path, Path]) -> None:
    with a_windows_town(*place) as town:
        town.old.files["ANNA/desktop/\u00c4.TXT"] = b"x"
        before = dict(town.old.files)
        town.drive(until="desk")
        while town.waiting():
            town.say()
            town.drive(until="desk")
        assert town.old.files == before and "jürgen" not in str(town.new.files)
        with town.town.store.reading() as books:
            assert "names_collide" in str([one.entry.body for one in books.journal.read(STADT)])
