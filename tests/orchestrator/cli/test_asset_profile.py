"""``kahn asset profile``: proposed, confirmed, kept per tenant, used by the import."""

from __future__ import annotations

from pathlib import Path

from inventory.mapping import InvalidProfile, ProfileDoesNotFit
from orchestrator.cli.asset_profile import BadCorrection, NoSuchProfile
from orchestrator.cli.context import NotConfirmed
from tests.inventory.builders import a_file
from tests.orchestrator.cli.test_asset_import import called, document, error, home, names

__all__ = ["home"]
TEXT = "Kürzel;Wo;Gr.\nnb-1;Rathaus;8\nnb-2;Rathaus;16\n"
SET = ("--set", "Kürzel=name", "--set", "Wo=site", "--set", "Gr.=ram_mib:gb")


def test_a_profile_is_shown_confirmed_kept_and_used(home, tmp_path: Path) -> None:
    path = a_file(tmp_path, TEXT)
    shown = called(home, "profile", "propose", path, "notebooks", "--kind", "notebook", *SET)
    assert shown.exit_code == 0, shown.exception
    assert "ram_mib (gb)" in shown.output and "--profile notebooks" in shown.output
    assert document(home, "import", path, "--profile", "notebooks")["written"] == 3
    assert document(home, "show", "nb-2")[0]["ram_mib"] == 16384
    assert [one["name"] for one in document(home, "profile", "list")] == ["notebooks"]
    assert "Kürzel" in called(home, "profile", "show", "notebooks").output


def test_nothing_is_kept_without_a_yes_or_in_a_dry_run(home, tmp_path: Path) -> None:
    path = a_file(tmp_path, TEXT)
    assert called(home, "profile", "propose", path, "nb", *SET, "--dry-run").exit_code == 0
    assert isinstance(error(home, "profile", "propose", path, "nb", *SET, yes=False), NotConfirmed)
    assert document(home, "profile", "list") == []


def test_mistakes_are_named(home, tmp_path: Path) -> None:
    path = a_file(tmp_path, TEXT)
    assert isinstance(error(home, "profile", "propose", path, "nb"), InvalidProfile)
    assert isinstance(error(home, "profile", "propose", path, "nb", "--set", "Kürzel=colour"), BadCorrection)
    assert isinstance(error(home, "profile", "propose", path, "nb", "--set", "Kürzel"), BadCorrection)
    assert isinstance(error(home, "import", path, "--profile", "nb"), NoSuchProfile)
    called(home, "profile", "propose", path, "nb", *SET)
    other = a_file(tmp_path, "Hostname;Raum\npc;1\n", "other.csv")
    assert isinstance(error(home, "import", other, "--profile", "nb"), ProfileDoesNotFit)
    assert names(home) == []


def test_a_profile_can_be_forgotten(home, tmp_path: Path) -> None:
    called(home, "profile", "propose", a_file(tmp_path, TEXT), "nb", *SET)
    assert called(home, "profile", "drop", "nb").exit_code == 0
    assert isinstance(error(home, "profile", "drop", "nb"), NoSuchProfile)


def test_a_column_of_the_towns_own_is_kept_shown_chosen_exported_and_taken_in_again(home, tmp_path: Path) -> None:
    path = a_file(tmp_path, "Kürzel;Wo;Kosten-Träger\nnb-1;Rathaus;4711\nnb-2;Rathaus;=0815\n")
    wished = ("--kind", "notebook", "--set", "Kürzel=name", "--set", "Wo=site")
    assert 'Kosten-Träger=attr.kosten_traeger"' in called(home, "profile", "propose", path, "nb", *wished).output
    called(home, "profile", "propose", path, "nb", *wished, "--set", "Kosten-Träger=Attr.Kosten_Traeger")
    assert document(home, "import", path, "--profile", "nb")["written"] == 3
    assert [one["name"] for one in document(home, "list", "attr.kosten_traeger:4711")] == ["nb-1"]
    shown = document(home, "show", "nb-2")[0]
    assert shown["attr.kosten_traeger"] == "=0815"
    assert shown["provenance"]["attr.kosten_traeger"][0]["source"] == "office:nb"
    assert "4711" in called(home, "list", "--columns", "name,attr.kosten_traeger").output
    called(home, "export", "-o", tmp_path / "out.csv")
    assert (
        "attr.kosten_traeger" in (tmp_path / "out.csv").read_text() and ";'=0815" in (tmp_path / "out.csv").read_text()
    )
    called(home, "export", "-o", tmp_path / "out.json")
    again = document(home, "import", tmp_path / "out.json")
    assert (again["steps"][0]["refused"], again["steps"][0]["changed"]) == ([], [])
