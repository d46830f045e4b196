"""Models of Windows machines: a move and its way back leave them as they were."""

from __future__ import annotations

from typing import Any

from orchestrator.lab.windows_models import SEAT_FILES, digest, sums, two_seats, two_servers

SERVER: dict[str, Any] = {
    "asset": "a", "services": ["MeldeDienst"], "tasks": ["\\Melde\\Nachtlauf"], "shares": ["Akten"], "expected": "",
}  # fmt: skip


def test_files_go_to_the_new_seat_and_away_again_and_its_own_file_stays() -> None:
    old, new = two_seats()
    before = (old.stands(), new.stands())
    told = old({"state": "saved", "asset": "a"})["kahn"]["manifest"]
    assert told == digest(sums(SEAT_FILES))
    assert new({"state": "restored", "asset": "a", "expected": "other"})["kahn"]["cause"] == "manifest_damaged"
    new({"state": "restored", "asset": "a", "expected": told})
    assert SEAT_FILES.items() <= new.stands()["files"].items()
    new({"state": "removed", "asset": "a"})
    assert (old.stands(), new.stands()) == before


def test_a_server_that_was_stopped_and_resumed_stands_as_before() -> None:
    old, _new = two_servers()
    before = old.stands()
    old({"state": "stopped", **SERVER})
    assert old.stands() != before
    old({"state": "resumed", **SERVER})
    assert old.stands() == before
