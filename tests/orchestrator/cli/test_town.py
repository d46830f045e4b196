"""``kahn town``: a made-up municipality to try everything with."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from orchestrator.cli.context import Context
from orchestrator.cli.town import TownNotWritten, town

app = typer.Typer()
app.command()(town)


def called(*words: str | Path, as_json: bool = False) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], obj=Context(plain=True, json=as_json))


def test_a_town_is_written_as_one_document_or_as_one_file_per_section(tmp_path: Path) -> None:
    result = called("--seats", "20", "--seed", "7", "--out", tmp_path / "town.json")
    assert result.exit_code == 0 and "seats 20" in result.output and "kahn asset import" in result.output
    called("--seats", "20", "--seed", "7", "--out", tmp_path / "town")
    assert sorted(one.name for one in (tmp_path / "town").iterdir()) == [
        "departments.csv", "dependencies.csv", "machines.csv", "procedures.csv", "seats.csv", "sites.csv"
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        called("--seats", "50", "--seed", "4", "--out", tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_the_answer_as_json_counts_every_section(tmp_path: Path) -> None:
    answer = json.loads(called("--seats", "20", "--no-successors", "--out", tmp_path / "t.json", as_json=True).stdout)
    assert (answer["seats"], answer["files"]) == (20, [str(tmp_path / "t.json")])


def test_a_size_out_of_range_is_wrong_usage_and_a_bad_place_an_expected_error(tmp_path: Path) -> None:
    assert called("--seats", "19", "--out", tmp_path / "t.json").exit_code == 2
    assert isinstance(called("--seats", "20", "--out", tmp_path / "no" / "t.json").exception, TownNotWritten)
