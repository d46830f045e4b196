"""What a procedure says for itself: rows of its tables, and its answer where it listens."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared
from tests.playbooks.procedures import settings

asked = shared("kahn_asked")


def test_rows_of_every_table_are_counted_while_others_write(tmp_path: Path) -> None:
    path = tmp_path / "amt.db"
    writer = sqlite3.connect(path)
    writer.execute("pragma journal_mode=wal")
    writer.execute('create table "selt""sam"(a)')
    writer.execute("create table leer(a)")
    writer.executemany('insert into "selt""sam" values (?)', [(n,) for n in range(7)])
    writer.commit()
    before = sorted(os.listdir(tmp_path))
    assert asked.databases(settings(databases=[str(path)]), str(tmp_path)) == {
        'sqlite amt.db selt"sam': 7, "sqlite amt.db leer": 0,
    }  # fmt: skip
    assert sorted(os.listdir(tmp_path)) == before
    writer.close()


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "kaputt.db").write_text("nonsense" * 200)
    assert cause(asked.sqlite_rows, str(tmp_path / "kaputt.db")) == "database_damaged"
    assert cause(asked.sqlite_rows, str(tmp_path / "missing.db")) == "database_damaged"
    assert not (tmp_path / "missing.db").exists()


class Desk(BaseHTTPRequestHandler):
    """Answers with the name it was asked by; /off answers 503."""

    def do_GET(self) -> None:
        text = f"Wohngeld {self.headers['Host']}".encode()
        self.send_response(503 if self.path == "/off" else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_words: object) -> None:
        """Quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_the_answer_is_told_with_its_text_and_time(port: int) -> None:
    found = asked.question(settings(port=port, path="/", expect="Wohngeld", host="amt.example"))
    assert found["status"] == "200, with the expected text" and 0 <= found["milliseconds"] < 10_000
    other = asked.question(settings(port=port, path="/", expect="Kindergeld", host=""))
    assert other["status"] == "200, WITHOUT the expected text"
    assert asked.question(settings(port=port, path="/off", expect=""))["status"].startswith("503")
    assert asked.question(settings(port=port, path=""))["status"] == "connection accepted"


def test_silence_is_an_answer_too(port: int) -> None:
    free = HTTPServer(("127.0.0.1", 0), Desk)
    closed = free.server_address[1]
    free.server_close()
    assert asked.question(settings(port=closed, path="/"))["status"].startswith("none: ")


def test_it_is_asked_where_it_listens(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    head = "  sl  local_address rem_address   st\n"
    row = "   0: {} 00000000:0000 {} 00000000:00000000 00:00000000 00000000 0 0 1\n"
    (tmp_path / "net/tcp").write_text(head + row.format("0500090A:1F90", "01") + row.format("0500090A:1F91", "0A"))
    (tmp_path / "net/tcp6").write_text(head + row.format("00000000000000000000000000000000:1F92", "0A"))
    found = [asked.where(one, str(tmp_path)) for one in (8080, 8081, 8082)]
    assert found == ["127.0.0.1", "10.9.0.5", "::1"]
