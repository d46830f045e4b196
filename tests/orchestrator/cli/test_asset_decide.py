"""``kahn asset conflicts`` and ``kahn asset resolve`` on a real store."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import InvalidValue, Snapshot
from orchestrator.actions.decide_asset import NotDecidable
from orchestrator.cli.asset_show import NoSuchAsset
from orchestrator.cli.context import Context, NoPerson
from tests.estates import TENANT
from tests.inventory.builders import a_file
from tests.orchestrator.cli.test_asset import called, document, error, names
from tests.planning_town import a_home

NOTHING = Snapshot(tenant=TENANT, assets=(), dependencies=())


@pytest.fixture
def home(tmp_path: Path) -> Context:
    made = a_home(tmp_path, estate=NOTHING)
    machines = a_file(tmp_path, "machine;kind;ram_mib;serial\nsrv;vm;4096;S-1\nalt;vm;1;S-9\n", "machines.csv")
    called(made, "import", machines, "--observed", "2026-03-31")
    called(made, "import", office(tmp_path), "--observed", "2026-04-01")
    return made


def office(folder: Path, note: str = "x") -> Path:
    return a_file(
        folder,
        f"Rechnername;Typ;RAM (MB);Seriennummer;Bemerkung\nSRV;VM;2048;S-1;{note}\nALT;VM;1;S-8;\n",
        "office.csv",
    )


def test_conflicts_and_questions_are_listed_and_counted(home: Context) -> None:
    text = called(home, "conflicts").output
    assert "ram_mib" in text and "1 fields, 1 questions" in text
    assert "name alt is borne by" in text
    found = document(home, "conflicts", "srv")
    assert [one["field"] for one in found["fields"]] == ["ram_mib"] and found["questions"] == []
    assert found["fields"][0]["words"][0]["where"].endswith("office.csv:2")


def test_a_source_that_a_person_trusts_holds_against_the_next_import(home: Context, tmp_path: Path) -> None:
    assert called(home, "resolve", "srv", "ram_mib", "--source", "native-csv", "--as", "anna").exit_code == 0
    called(home, "import", office(tmp_path, "neu"))
    assert document(home, "show", "srv")[0]["ram_mib"] == 4096
    assert document(home, "conflicts")["fields"] == []
    assert [one["decided"] for one in document(home, "conflicts", "--all")["fields"]] == [True]


def test_a_question_is_answered_once_and_can_be_taken_back(home: Context, tmp_path: Path) -> None:
    assert names(home) == ["ALT #2", "alt", "srv"]
    called(home, "resolve", "alt", "--same", "ALT #2", "--as", "anna", "--reason", "one sticker")
    called(home, "import", office(tmp_path, "neu"))
    assert names(home) == ["alt", "srv"] and document(home, "conflicts")["questions"] == []
    with home.world.store.reading() as books:
        (sealed,) = books.journal.read(TENANT, subject="decisions")
    assert (sealed.entry.body["verdict"], sealed.entry.texts["reason"]) == ("same", "one sticker")
    called(home, "resolve", "alt", "--different", "source:office-csv", "--as", "anna")
    assert len(names(home)) == 3 and document(home, "conflicts")["questions"] == []


def test_a_dry_run_decides_nothing(home: Context) -> None:
    words = ("resolve", "srv", "ram_mib", "--use", "7", "--as", "anna")
    assert "ram_mib 2048 -> 7" in called(home, *words, "--dry-run").output
    assert document(home, "show", "srv")[0]["ram_mib"] == 2048


def test_words_that_decide_nothing_clear_are_refused(home: Context) -> None:
    for words in (("srv",), ("srv", "ram_mib"), ("srv", "--use", "1"), ("srv", "note", "--use", "a", "--source", "b")):
        assert isinstance(error(home, "resolve", *words, "--as", "anna"), NotDecidable), words
    assert isinstance(error(home, "resolve", "srv", "ram_mib", "--use", "viel", "--as", "anna"), InvalidValue)
    assert isinstance(error(home, "resolve", "srv", "--same", "nobody", "--as", "anna"), NoSuchAsset)
    assert isinstance(error(home, "resolve", "srv", "note", "--use", "x"), NoPerson)
