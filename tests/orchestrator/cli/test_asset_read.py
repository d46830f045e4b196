"""``kahn asset read``: one line per file, nothing written, no bad file stops the others."""

from __future__ import annotations

from pathlib import Path

from tests.inventory.builders import a_file
from tests.orchestrator.cli.test_asset_import import called, document, home, names

__all__ = ["home"]


def test_every_file_gets_its_line_and_nothing_is_written(home, tmp_path: Path) -> None:
    good = a_file(tmp_path, "Hostname;Raum;RAM (GB)\npc-1;1;8\npc-2;1;viel\n", "good.csv")
    bad = a_file(tmp_path, "{", "bad.json")
    odd = a_file(tmp_path, b"GIF89a", "odd.csv")
    lines = {Path(one["file"]).name: one for one in document(home, "read", good, bad, odd)}
    assert (lines["good.csv"]["format"], lines["good.csv"]["read"], lines["good.csv"]["merged"]) == ("office-csv", 2, 1)
    assert lines["good.csv"]["rejected"] == 1 and lines["good.csv"]["why"][0].startswith("1 x INV-001")
    assert lines["bad.json"]["refused_whole"] and lines["odd.csv"]["refused_whole"]
    shown = called(home, "read", good, bad, odd)
    assert shown.exit_code == 8
    assert "whole file" in shown.output and "Nothing was written" in shown.output
    assert names(home) == []


def test_files_are_taken_one_on_top_of_the_other(home, tmp_path: Path) -> None:
    sites = a_file(tmp_path, "site\nRathaus\n", "a.csv")
    machines = a_file(tmp_path, "machine;kind;site\nsrv;vm;Rathaus\n", "b.csv")
    assert [one["rejected"] for one in document(home, "read", machines)] == [1]
    assert [one["merged"] for one in document(home, "read", sites, machines)] == [1, 1]
    assert called(home, "read", sites, machines).exit_code == 0


def test_the_columns_add_up_however_many_troubles_a_row_has(home, tmp_path: Path) -> None:
    rows = "machine;kind;ram_mib;users;colour\na;vm;1;;\nb;vm;viel;viele;\nc;vm;;;\n"
    first = a_file(tmp_path, rows, "a.csv")
    text = "from;needs;kind\na;c;hard\na;c;hard\na;gone;hard\n"
    needs, needs_again = a_file(tmp_path, text, "n.csv"), a_file(tmp_path, text, "o.csv")
    again = a_file(tmp_path, "machine;kind;ram_mib\na;vm;2\nc;vm;\nd;vm;\n", "b.csv")
    found = document(home, "read", first, needs, again, needs_again)
    parts = [[one[name] for name in ("read", "new", "changed", "unchanged", "rejected", "columns")] for one in found]
    assert parts == [[3, 2, 0, 0, 1, 1], [3, 1, 0, 1, 1, 0], [3, 1, 1, 1, 0, 0], [3, 0, 0, 2, 1, 0]]
