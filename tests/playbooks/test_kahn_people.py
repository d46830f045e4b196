"""Accounts: read on the old host, made on the successor, taken away exactly; nothing hostile gets into the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, shared

accounts = shared("kahn_people")
AT = ["sh", "-c"]  # stands for ssh: the words that follow are run here
SENT = tuple(map(shared, ("kahn_outcome", "kahn_books", "kahn_talk", "kahn_people")))
ROOT = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/nonexistent:/bin/false\n",
    "shadow": "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n",
    "group": "root:x:0:\naudio:x:29:\nsudo:x:27:\n",
    "gshadow": "root:*::\naudio:*::\nsudo:*::\n",
}
ANNA = "anna:x:1001:1001:Anna Möller,,,:/home/anna:/bin/bash"


def an_etc(top: Path, **more: str) -> str:
    top.mkdir(parents=True)
    for name, text in ROOT.items():
        (top / name).write_text(text + more.get(name, ""), encoding="utf-8")
    return str(top)


def old_host(top: Path) -> dict[str, Any]:
    etc = an_etc(top, passwd=ANNA + "\n", shadow="anna:$y$j9T$abc:19000:0:99999:7:::\n", group="anna:x:1001:\n")
    text = (
        Path(etc, "group").read_text().replace("audio:x:29:", "audio:x:29:anna").replace("sudo:x:27:", "sudo:x:27:anna")
    )
    Path(etc, "group").write_text(text)
    found: dict[str, Any] = accounts.read(accounts.Books(etc))
    return found


def arrived(base: Path, wanted: dict[str, Any]) -> str:
    (base / "a1").mkdir(parents=True, exist_ok=True)
    (base / "a1/accounts").write_text(json.dumps(wanted))
    return str(base)


def everything(etc: str) -> dict[str, bytes]:
    return {name: Path(etc, name).read_bytes() for name in ROOT}


def test_an_account_arrives_with_number_hash_and_seat_groups_but_without_rights(tmp_path: Path) -> None:
    etc, base = an_etc(tmp_path / "new"), arrived(tmp_path / "s", old_host(tmp_path / "old"))
    changed, told = accounts.make("a1", etc, base)
    text = {name: content.decode() for name, content in everything(etc).items()}
    assert changed and ANNA in text["passwd"] and "anna:$y$j9T$abc:" in text["shadow"]
    assert "audio:x:29:anna\n" in text["group"] and "sudo:x:27:\n" in text["group"]
    assert told["left"] == ["anna: member of sudo"]
    assert "$y$" not in json.dumps(told)


def test_making_twice_changes_nothing_and_undo_gives_back_every_byte(tmp_path: Path) -> None:
    etc, base = an_etc(tmp_path / "new"), arrived(tmp_path / "s", old_host(tmp_path / "old"))
    before = everything(etc)
    accounts.make("a1", etc, base)
    assert accounts.make("a1", etc, base)[0] is False
    accounts.unmake("a1", etc, base)
    assert everything(etc) == before
    assert accounts.unmake("a1", etc, base)[0] is False


def test_an_account_that_was_there_before_survives_the_undo(tmp_path: Path) -> None:
    etc = an_etc(tmp_path / "new", passwd=ANNA + "\n", shadow="anna:x:1:0:9:7:::\n", group="anna:x:1001:\n")
    before = everything(etc)
    base = arrived(tmp_path / "s", old_host(tmp_path / "old"))
    accounts.make("a1", etc, base)
    accounts.unmake("a1", etc, base)
    assert everything(etc) == before


@pytest.mark.parametrize("line", ["anna:x:1002:1002::/home/anna:/bin/sh", "bernd:x:1001:1001::/home/bernd:/bin/sh"])
def test_another_account_of_that_name_or_number_stops_everything(tmp_path: Path, line: str) -> None:
    etc = an_etc(tmp_path / "new", passwd=line + "\n")
    before = everything(etc)
    base = arrived(tmp_path / "s", old_host(tmp_path / "old"))
    assert cause(accounts.make, "a1", etc, base) == "accounts_differ"
    assert everything(etc) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (0, "root"),
        (0, "an:na"),
        (2, "0"),
        (2, "33"),
        (2, "\uff11\uff10\uff10\uff11"),
        (3, "0"),
        (4, "x\nroot2:x:0:0::/:/bin/sh"),
        (5, "/root"),
        (5, "/home/../root"),
    ],
)
def test_a_hostile_account_is_refused(tmp_path: Path, field: int, value: str) -> None:
    wanted = old_host(tmp_path / "old")
    wanted["people"]["anna"]["passwd"][field] = value
    etc, base = an_etc(tmp_path / "new"), arrived(tmp_path / "s", wanted)
    assert cause(accounts.make, "a1", etc, base) == "accounts_invalid"
    assert "anna" not in Path(etc, "passwd").read_text()


def test_a_forged_seat_group_that_gives_rights_is_refused(tmp_path: Path) -> None:
    wanted = old_host(tmp_path / "old") | {"seats": {"sudo": ["anna"]}}
    base = arrived(tmp_path / "s", wanted)
    assert cause(accounts.make, "a1", an_etc(tmp_path / "new"), base) == "accounts_invalid"


def test_a_group_whose_name_gives_rights_is_neither_read_nor_made(tmp_path: Path) -> None:
    etc = an_etc(tmp_path / "old", passwd=ANNA + "\n", group="docker:x:1500:anna\n")
    assert accounts.read(accounts.Books(etc))["groups"] == {}
    wanted = old_host(tmp_path / "other") | {"groups": {"docker": ["docker", "x", "1500", "anna"]}}
    assert cause(accounts.make, "a1", an_etc(tmp_path / "new"), arrived(tmp_path / "s", wanted)) == "accounts_invalid"


def test_an_account_without_password_is_locked_on_the_successor(tmp_path: Path) -> None:
    wanted = old_host(tmp_path / "old")
    wanted["people"]["anna"]["shadow"][1] = ""
    etc = an_etc(tmp_path / "new")
    accounts.make("a1", etc, arrived(tmp_path / "s", wanted))
    assert "anna:!:" in Path(etc, "shadow").read_text()


def test_account_files_keep_their_modes(tmp_path: Path) -> None:
    etc = an_etc(tmp_path / "new")
    Path(etc, "shadow").chmod(0o640)
    accounts.make("a1", etc, arrived(tmp_path / "s", old_host(tmp_path / "old")))
    assert Path(etc, "shadow").stat().st_mode & 0o7777 == 0o640


def two_machines(place: Path) -> dict[str, str]:
    """Root directories of an old machine with Anna's account and of a new one without."""
    an_etc(place / "source/etc", passwd=ANNA + "\n", shadow="anna:$y$j9T$abc:19000:0:99999:7:::\n")
    an_etc(place / "target/etc")
    for role in ("source", "target"):
        (place / role / "var/lib").mkdir(parents=True)
    return {role: str(place / role) for role in ("source", "target")}


def test_accounts_are_taken_over_from_machine_to_machine(tmp_path: Path) -> None:
    roots = two_machines(tmp_path)
    changed, told = accounts.take_over({"source": AT, "target": AT}, "a1", SENT, roots)
    assert (changed, told["people"]) == (True, 1)
    assert ANNA in Path(roots["target"], "etc/passwd").read_text()
    assert accounts.check("a1", roots["target"] + "/etc", roots["target"] + "/var/lib/kahn") == told
    assert not Path(roots["source"], "var/lib/kahn/a1/accounts").exists()
    assert accounts.take_over({"source": AT, "target": AT}, "a1", SENT, roots)[0] is False
    Path(roots["target"], "etc/passwd").write_text(ROOT["passwd"])
    assert cause(accounts.check, "a1", roots["target"] + "/etc", roots["target"] + "/var/lib/kahn") == "accounts_differ"


def test_a_machine_that_cannot_be_reached_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    roots = two_machines(tmp_path)
    gone = ["sh", "-c", "exit 255"]
    before = everything(roots["target"] + "/etc")
    assert cause(accounts.take_over, {"source": gone, "target": AT}, "a1", SENT, roots) == "source_unreachable"
    assert cause(accounts.take_over, {"source": AT, "target": gone}, "a1", SENT, roots) == "target_unreachable"
    assert everything(roots["target"] + "/etc") == before


def test_a_hostile_old_machine_gets_nothing_into_the_files(tmp_path: Path) -> None:
    roots = two_machines(tmp_path)
    text = ANNA.replace("Anna Möller,,,", "x\x0by") + "\n" + "b;d:x:1002:1002::/home/b:/bin/sh\n"
    Path(roots["source"], "etc/passwd").write_text(ROOT["passwd"] + text, encoding="utf-8")
    before = everything(roots["target"] + "/etc")
    assert cause(accounts.take_over, {"source": AT, "target": AT}, "a1", SENT, roots) == "accounts_invalid"
    assert everything(roots["target"] + "/etc") == before


@pytest.mark.parametrize("group", ["sudo:x:27:anna", "wheel:x:1001:"])
def test_an_administrator_of_the_same_name_and_number_is_not_taken_for_the_seats_account(
    tmp_path: Path, group: str
) -> None:
    etc = an_etc(tmp_path / "new", passwd=ANNA + "\n", group=group + "\n")
    before = everything(etc)
    base = arrived(tmp_path / "s", old_host(tmp_path / "old"))
    with pytest.raises(Trouble) as trouble:
        accounts.make("a1", etc, base)
    assert trouble.value.cause == "accounts_differ"
    assert f"account anna (1001), which is in {group.split(':')[0]} here" in trouble.value.facts["names"]
    assert everything(etc) == before
