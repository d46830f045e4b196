"""Accounts with their numbers: made where they are missing, and taken away exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared
from tests.playbooks.two_hosts import a_host, tree

numbers = shared("kahn_numbers")
NOBODY: dict[str, list[int]] = {"users": [], "groups": []}


def told_by(root: Path, accounts: str, groups: str) -> dict[str, dict[str, object]]:
    return dict(numbers.told(str(a_host(root, accounts=accounts, groups=groups))))


def test_people_services_and_groups_come_with_their_numbers_and_go_again(tmp_path: Path) -> None:
    wanted = told_by(
        tmp_path / "alt",
        "redis:x:112:118::/var/lib/redis:/usr/sbin/nologin\namt:x:1500:1500::/home/amt:/bin/sh\n",
        "redis:x:118:\namt:x:1500:\nbau:x:1600:amt,redis\n",
    )
    new, store = a_host(tmp_path / "neu"), tmp_path / "store"
    store.mkdir()
    was = tree(new)
    assert numbers.make(str(new), wanted, str(store)) and not numbers.make(str(new), wanted, str(store))
    assert "bau:x:1600:amt,redis" in (new / "etc/group").read_text()
    assert "redis:x:112:118:" in (new / "etc/passwd").read_text()
    numbers.unmake(str(new), str(store))
    numbers.unmake(str(new), str(store))
    assert tree(new) == was


def test_rights_are_left_to_people(tmp_path: Path) -> None:
    wanted = told_by(tmp_path / "alt", "amt:x:1500:1500::/home/amt:/bin/sh\n", "amt:x:1500:\ndocker:x:999:amt\n")
    assert numbers.left_alone(wanted) == ["amt: member of docker"]


def test_another_number_matters_only_to_files_that_are_carried(tmp_path: Path) -> None:
    wanted = told_by(tmp_path / "alt", "messagebus:x:104:110::/:/bin/false\n", "messagebus:x:110:\n")
    new = a_host(tmp_path / "neu", accounts="messagebus:x:101:101::/:/bin/false\n", groups="messagebus:x:101:\n")
    assert numbers.conflicts(str(new), wanted, NOBODY) == []
    assert numbers.conflicts(str(new), wanted, {"users": [104], "groups": []}) == ["account messagebus (104)"]
    other = a_host(tmp_path / "dritter", accounts="fremd:x:104:104::/:/bin/false\n")
    assert numbers.conflicts(str(other), wanted, NOBODY) == ["account messagebus (104)"]


@pytest.mark.parametrize(
    "row",
    [["amt", "x", "0", "0", "", "/", "/bin/sh"], ["amt", "x", "1500", "1500", "a\nroot2::0:0", "/", ""], ["amt", "x"]],
)
def test_a_list_that_could_make_a_second_root_is_refused(tmp_path: Path, row: list[str]) -> None:
    wanted = {"people": {"amt": {"passwd": row, "shadow": ["amt", "!", *[""] * 7]}}, "groups": {}}
    new = a_host(tmp_path / "neu")
    assert cause(numbers.make, str(new), wanted, str(tmp_path)) == "accounts_invalid"
