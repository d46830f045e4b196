"""``kahn report make management`` on a real store."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from orchestrator.cli.report import ReportNotWritten, app, write_whole
from orchestrator.texts import use_language
from tests.known_town import a_driven_town, a_known_town, call, document, fails_at


def test_the_report_says_its_one_sentence_and_where_the_page_is(tmp_path: Path) -> None:
    context = a_driven_town(tmp_path, fault=fails_at("apc-002-id", "switch"))
    page = tmp_path / "page.html"
    result = call(app, context, "make", "management", "-o", str(page))
    assert result.output.splitlines()[0].startswith("5 of 6 machines are moved; one is back on its old machine,")
    assert str(page) in result.output
    assert "apc-002" in page.read_text()


def test_without_a_place_the_page_gets_a_dated_name_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = a_driven_town(tmp_path)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    call(app, context, "make", "management")
    (page,) = here.iterdir()
    assert page.name.startswith("kahn-management-stadt-20")


def test_json_is_the_report_itself_and_writes_a_page_only_where_told(tmp_path: Path) -> None:
    context = a_driven_town(tmp_path)
    found = document(app, context, "make", "management")
    assert (found["page"], found["to_move"], found["report"]["total"]["counts"]["moved"]) == (None, 6, 6)
    assert sum(found["report"]["total"]["counts"].values()) == 6


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    context, _town = a_known_town(tmp_path)
    with pytest.raises(ReportNotWritten):
        call(app, context, "make", "management", "-o", str(tmp_path / "no" / "page.html"))


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("before")
    write_whole(page, "after")
    assert page.read_text() == "after"
    with pytest.raises(ReportNotWritten):
        write_whole(tmp_path, "a directory stands here")
    assert os.listdir(tmp_path) == ["page.html"]
    assert stat.S_IMODE(page.stat().st_mode) & 0o111 == 0


def test_a_record_that_was_changed_by_hand_ends_with_9(tmp_path: Path) -> None:
    context = a_driven_town(tmp_path)
    database = context.settings.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        for (trigger,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f'drop trigger "{trigger}"')
        connection.execute("update journal set hash = 'ff' where seq = 2")
    result = call(app, context, "make", "management", "-o", str(tmp_path / "page.html"))
    assert result.exit_code == 9
    assert result.output.startswith("The record is damaged, so these figures prove nothing;")


def test_the_report_speaks_german(tmp_path: Path) -> None:
    context = a_driven_town(tmp_path)
    use_language("de")
    try:
        result = call(app, context, "make", "management", "-o", str(tmp_path / "page.html"))
    finally:
        use_language("en")
    assert "moved" not in result.output
    assert '<html lang="de">' in (tmp_path / "page.html").read_text()
