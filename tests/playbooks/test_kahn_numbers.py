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


def test_another_number_of_a_person_matters_only_to_files_that_are_carried(tmp_path: Path) -> None:
    wanted = told_by(tmp_path / "alt", "amt:x:1104:1110::/:/bin/false\n", "amt:x:1110:\n")
    new = a_host(tmp_path / "neu", accounts="amt:x:1101:1101::/:/bin/false\n", groups="amt:x:1101:\n")
    assert numbers.conflicts(str(new), wanted, NOBODY) == []
    assert numbers.conflicts(str(new), wanted, {"users": [1104], "groups": []}) == ["account amt (1104)"]
    other = a_host(tmp_path / "dritter", accounts="fremd:x:1104:1104::/:/bin/false\n")
    assert numbers.conflicts(str(other), wanted, NOBODY) == ["account amt (1104)"]


def test_accounts_of_packages_keep_the_numbers_of_each_host(tmp_path: Path) -> None:
    """mysql is 100 there; here that is messagebus, and mysql gets a number that neither host has."""
    wanted = told_by(
        tmp_path / "alt",
        "mysql:x:100:102::/:/bin/false\nmessagebus:x:101:103::/:/bin/false\nlast:x:999:999::/:/bin/false\n",
        "mysql:x:102:\nmessagebus:x:103:\ncrontab:x:101:\nlast:x:999:\n",
    )
    new = a_host(
        tmp_path / "neu", accounts="messagebus:x:100:101::/:/bin/false\n", groups="messagebus:x:101:\nmysql:x:555:\n"
    )
    assert numbers.conflicts(str(new), wanted, {"users": [100, 101], "groups": [102]}) == []
    told = {"users": {100: 998, 101: 100}, "groups": {102: 555, 103: 101, 101: 998}}
    assert numbers.numbering(str(new), wanted) == told
    was = tree(new)
    for _again in range(2):
        numbers.make(str(new), wanted, str(tmp_path))
        assert numbers.noted(str(tmp_path))["users"] == {"100": "998", "101": "100"}
    assert "mysql:x:998:555:" in (new / "etc/passwd").read_text()
    assert "crontab:x:998:" in (new / "etc/group").read_text()
    numbers.unmake(str(new), str(tmp_path))
    assert tree(new) == was and numbers.noted(str(tmp_path)) == {}


def test_two_accounts_of_one_number_that_would_get_two_are_refused(tmp_path: Path) -> None:
    wanted = told_by(tmp_path / "alt", "a:x:100:100::/:/bin/false\nb:x:100:100::/:/bin/false\n", "a:x:100:\n")
    assert numbers.numbering(str(a_host(tmp_path / "frei")), wanted) == {"users": {}, "groups": {}}
    new = a_host(tmp_path / "neu", accounts="a:x:115:115::/:/bin/false\n", groups="a:x:100:\n")
    assert cause(numbers.numbering, str(new), wanted) == "accounts_differ"


@pytest.mark.parametrize(
    "row",
    [["amt", "x", "0", "0", "", "/", "/bin/sh"], ["amt", "x", "1500", "1500", "a\nroot2::0:0", "/", ""], ["amt", "x"]],
)
def test_a_list_that_could_make_a_second_root_is_refused(tmp_path: Path, row: list[str]) -> None:
    wanted = {"people": {"amt": {"passwd": row, "shadow": ["amt", "!", *[""] * 7]}}, "groups": {}}
    new = a_host(tmp_path / "neu")
    assert cause(numbers.make, str(new), wanted, str(tmp_path)) == "accounts_invalid"
