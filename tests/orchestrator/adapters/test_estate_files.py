"""Files beside the inventory for people's own playbooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.ansible_inventory import Emitted
from orchestrator.adapters.estate_files import EstateUnwritable, estate_places, keep_proofs
from tests.estates import TENANT


def test_host_keys_are_written_once_for_their_owner_alone(tmp_path: Path) -> None:
    places, shared = estate_places(Path("/tmp/k"), TENANT)
    assert shared and places.known_hosts == "/tmp/k/inventory/stadt.known_hosts"
    places, _shared = estate_places(tmp_path, TENANT)
    keep_proofs(places, Emitted(inventory="", known_hosts="k1 ssh-ed25519 AAAA\n"))
    path = Path(places.known_hosts)
    before = path.stat()
    keep_proofs(places, Emitted(inventory="", known_hosts="k1 ssh-ed25519 AAAA\n"))
    assert (path.read_text(), before.st_mode & 0o777) == ("k1 ssh-ed25519 AAAA\n", 0o600)
    assert path.stat().st_ino == before.st_ino
    keep_proofs(places, Emitted(inventory="", known_hosts=""))
    assert path.read_text() == "" and [one.name for one in path.parent.iterdir()] == [path.name]


def test_where_the_path_is_too_long_for_a_socket_connections_are_not_shared() -> None:
    places, shared = estate_places(Path("/" + "x" * 100), TENANT)
    assert not shared and places.sockets == "/nonexistent"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("a file")
    with pytest.raises(EstateUnwritable, match="INV-021"):
        keep_proofs(estate_places(tmp_path, TENANT)[0], Emitted(inventory="", known_hosts="k1"))
