"""The process that asks a Windows machine knows its limits, and its parent ends it where it does not end by itself."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

from orchestrator.adapters.psrp import CHILD, _child

ERRAND = {
    "address": "localhost",
    "port": 1,
    "trusted": "",
    "user": "kahn",
    "login": "basic",
    "key_file": "/nonexistent",
    "certificate_file": "",
    "script": "",
    "connect_s": 600,
    "silence_s": 600,
    "whole_s": 600,
}


def test_it_says_what_came_of_its_errand_as_json() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        errand = {**ERRAND, "port": taken.getsockname()[1]}
        done = subprocess.run([sys.executable, str(CHILD)], input=json.dumps(errand).encode(), capture_output=True)
    assert json.loads(done.stdout) == {"code": "psrp_refused", "word": ""}


def test_a_certificate_of_ours_that_cannot_be_read_is_not_the_machines_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = _child({**ERRAND, "port": server.getsockname()[1], "script": "exit 0"}, within_s=60)
    assert told["code"] == "certificate_unreadable"


def test_it_is_ended_where_the_machine_never_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert _child({**ERRAND, "port": server.getsockname()[1]}, within_s=1) == {"code": "too_late"}


def test_an_errand_that_makes_no_sense_is_no_answer() -> None:
    assert _child({"address": "localhost"}, within_s=60) == {"code": "too_much"}
