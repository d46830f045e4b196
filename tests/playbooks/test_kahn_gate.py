"""The gateway: the writer record, the route and its way back, questions as users ask them."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, shared
from tests.playbooks.procedures import settings

gates = shared("kahn_gate")


def a_gate(root: Path, **changed: Any) -> Any:
    usual = {"gateway_file": "/etc/target", "gateway_line": "server {address};", "gateway_reload": ["true"]}
    words = {"asset": "srv-1", "root": str(root), "addresses": {"old": "10.0.0.1", "new": "10.0.0.2"}}
    return gates.Gate({**words, "settings": settings(**{**usual, "port": 1, "gateway_port": 1, **changed})})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/lib").mkdir(parents=True)
    (tmp_path / "etc/target").write_text("  server 10.0.0.1;\n\n")
    os.utime(tmp_path / "etc/target", ns=(5, 5))
    return tmp_path


def test_the_route_goes_there_and_comes_back_to_the_very_bytes_and_time(root: Path) -> None:
    gate = a_gate(root)
    assert gate.look(None) == {"writer": "", "truth": "", "route": "old"}
    gate.record(None, writer="none", truth="old")
    gate.record(None, writer="new", truth="new")
    gate.route(None, to="new")
    assert (root / "etc/target").read_text() == "server 10.0.0.2;\n" and gate.look(None)["route"] == "new"
    gate.record(None, writer="old", truth="old")
    gate.route(None, to="old")
    assert (root / "etc/target").read_text() == "  server 10.0.0.1;\n\n" and (
        root / "etc/target"
    ).stat().st_mtime_ns == 5
    assert gate.forget(None) == {"changed": True} and gate.look(None)["writer"] == ""


def test_other_files_that_name_the_server_follow_the_switch_and_its_way_back(root: Path) -> None:
    (root / "etc/zone").write_text("wohngeld IN A 10.0.0.1\n")
    gate = a_gate(root, switch_files=["/etc/zone"], switch_reload=["true"])
    gate.fit(None)
    gate.record(None, writer="new", truth="new")
    (root / "etc/target").write_text("server 10.0.0.2;\n")
    assert gate.look(None)["route"] == "elsewhere", "a switch that broke off half-way is no switch"
    gate.route(None, to="new")
    assert gate.look(None)["route"] == "new" and (root / "etc/zone").read_text() == "wohngeld IN A 10.0.0.2\n"
    gate.route(None, to="old")
    assert (root / "etc/zone").read_text() == "wohngeld IN A 10.0.0.1\n"
    deaf = a_gate(root, switch_files=["/etc/zone"], switch_reload=["false"])
    assert cause(lambda: deaf.route(None, to="new")) == "gateway_refused"


def test_a_file_that_leads_elsewhere_a_reload_that_fails_and_a_damaged_record_have_names(root: Path) -> None:
    (root / "etc/target").write_text("server 10.0.0.11;\n")
    assert cause(a_gate(root).fit, None) == "gateway_differs"
    assert cause(lambda: a_gate(root, gateway_reload=["false"]).route(None, to="new")) == "gateway_refused"
    assert cause(lambda: a_gate(root, gateway_reload=["/no/such"]).route(None, to="new")) == "gateway_refused"
    (root / "var/lib/kahn/srv-1/writer").write_text('{"writer": "both"}')
    assert cause(a_gate(root).look, None) == "record_damaged"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/good" else 500)
        self.end_headers()
        self.wfile.write(f"Wohngeld for {self.headers['Host']}".encode())

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_question_is_answered_well_only_with_status_and_text(root: Path, port: int) -> None:
    asked = {"gateway_port": port, "path": "/good", "host": "amt.example", "expect": "for amt.example"}
    assert a_gate(root, **asked).serves(None, where="gateway", tries=1) == {"tries": 1}
    for wrong in ({"expect": "Bauamt"}, {"path": "/bad"}, {"gateway_port": 1}):
        gate = a_gate(root, **{**asked, **wrong})
        assert cause(lambda gate=gate: gate.serves(None, where="gateway", tries=2, gap_s=0)) == "procedure_silent"
    assert a_gate(root, gateway_port=port, path="").serves(None, where="gateway", tries=1) == {"tries": 1}


def test_the_monitoring_is_told_where_there_is_a_way_and_its_failure_is_no_failure(root: Path) -> None:
    said = root / "said"
    gate = a_gate(root, quiet_begin=["sh", "-c", f"echo begin >{said}"], quiet_end=["false"])
    assert [gate.quiet(None, begin=one)["code"] for one in (True, False)] == [0, 1] and said.read_text() == "begin\n"
    assert a_gate(root).quiet(None, begin=True) == {"code": 0}


def test_a_switch_that_broke_off_before_the_name_server_was_told_is_asked_for_a_newer_serial_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "etc/zone").write_text("wohngeld IN A 10.0.0.1\n")
    gate = a_gate(root, switch_files=["/etc/zone"], switch_reload=["false"], dns_names=["wohngeld.stadt.example"])
    serials, waited = [100], []
    monkeypatch.setattr(type(gate.naming.names), "serials", lambda self: {"wohngeld.stadt.example": serials[0]})
    monkeypatch.setattr(type(gate.naming.names), "wait", lambda self, to, before: waited.append(before))
    gate.record(None, writer="new", truth="new")
    assert cause(lambda: gate.route(None, to="new")) == "gateway_refused"  # the files are written, nobody was told
    serials[0] = 101
    mended = a_gate(root, switch_files=["/etc/zone"], switch_reload=["true"], dns_names=["wohngeld.stadt.example"])
    mended.route(None, to="new")
    assert waited == [{"wohngeld.stadt.example": 100}], "newer than before the first try"
