"""``kahn person``: who may sign."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from orchestrator.cli import person
from orchestrator.cli.context import Context, NotConfirmed
from orchestrator.core.refusals import DeputyRefused, KeyTaken, NameRefused, NameTaken, UnknownPerson
from tests.known_town import call
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import STADT, Town, a_keyboard


def listed(town: Town) -> dict[str, bool]:
    found = json.loads(call(person.app, sitting_down(town, json=True), "list").stdout)
    return {one["name"]: one["active"] for one in found}


def add(context: Context, folder: Path, name: str) -> str:
    key = a_keyboard(folder, "fresh").key_file.with_suffix(".pub")
    return call(person.app, context, "add", "--key", str(key), "--", name).output


def test_a_person_is_added_under_a_pseudonym_and_the_journal_never_holds_the_name(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    assert "Caro Käßler is p-" in add(context, tmp_path, "Caro Käßler")
    assert listed(town)["Caro Käßler"] is True
    with town.store.reading() as books:
        entry = books.journal.read(STADT)[-1].entry
    assert entry.kind == "person.added" and "Caro" not in repr(entry)


def test_one_key_for_two_persons_is_refused_with_3_and_nobody_added(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    anna = town.anna.key_file.with_suffix(".pub")
    with pytest.raises(KeyTaken) as refused:
        call(person.app, context, "add", "carl", "--key", str(anna))
    assert refused.value.exit_code == 3
    assert sorted(listed(town)) == ["anna", "bert"]


@pytest.mark.parametrize(
    ("name", "refusal"),
    [("ANNA", NameTaken), ("", NameRefused), ("p-0123abcd", NameRefused), ("a\x1b[2J", NameRefused)],
)
def test_a_name_that_would_confuse_people_is_refused(tmp_path: Path, name: str, refusal: type[ExpectedError]) -> None:
    context, _town = a_terminal(tmp_path)
    with pytest.raises(refusal):
        add(context, tmp_path, name)


@pytest.mark.parametrize("content", ["", "no key", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "\x00"])
def test_what_is_no_public_key_is_refused(tmp_path: Path, content: str) -> None:
    context, _town = a_terminal(tmp_path)
    (tmp_path / "key.pub").write_text(content)
    for key in ("key.pub", "gone.pub"):
        with pytest.raises(ExpectedError):
            call(person.app, context, "add", "carl", "--key", str(tmp_path / key))


def test_a_deputy_is_registered_and_never_for_themselves(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    call(person.app, context, "deputy", "bert", "--of", "anna")
    with town.store.reading() as books:
        assert books.people.find(STADT, "bert").deputy_of == (books.people.find(STADT, "anna").id,)
    with pytest.raises(DeputyRefused):
        call(person.app, context, "deputy", "bert", "--of", "bert")
    with pytest.raises(UnknownPerson):
        call(person.app, context, "deputy", "bert", "--of", "nobody")


def test_an_erased_name_is_gone_everywhere_and_what_was_signed_stays_verifiable(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    with pytest.raises(NotConfirmed):
        call(person.app, sitting_down(town, yes=False), "erase", "bert")
    call(person.app, context, "erase", "bert")
    assert listed(town) == {"anna": True, "": False}
    with town.store.reading() as books:
        assert books.journal.verify(STADT).broken_at == 0
        assert "bert" not in repr(books.journal.read(STADT))


def test_markup_in_a_name_is_only_text(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    add(context, tmp_path, "[red]x[/] :bug:")
    assert "[red]x[/] :bug:" in call(person.app, context, "list").output


def test_acts_on_people_answer_in_json_and_nobody_is_asked_about_a_stranger(tmp_path: Path) -> None:
    _context, town = a_terminal(tmp_path)
    asking = sitting_down(town, json=True)
    assert set(json.loads(call(person.app, asking, "deputy", "bert", "--of", "anna").stdout)) == {"id", "of"}
    with pytest.raises(UnknownPerson):
        call(person.app, sitting_down(town, yes=False), "erase", "nobody")
