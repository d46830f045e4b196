"""All database servers of a procedure as one: each is asked for its own, by a name that tells its kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, shared

servers = shared("kahn_servers")


class Kept:
    """A server that notes what it is asked."""

    def __init__(self, settings: dict[str, Any], _store: str) -> None:
        self.names, self.heard = settings["mariadb"], []  # type: ignore[var-annotated]

    def __getattr__(self, name: str) -> Any:
        def noted(*words: Any, **named: Any) -> Any:
            self.heard.append((name, *words[-1:], *named.values()))
            answers = {"roles_make": {"changed": True}, "prints": {"a": 1}, "rows": {"t": 3}, "limits": ["x"]}
            return answers.get(name, {})

        return noted


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr(servers, "KINDS", {"postgresql": Kept, "mariadb": Kept})
    return servers.Servers({"mariadb": ["a", "b"], "postgresql": []}, str(tmp_path))


def test_without_databases_nothing_is_asked(tmp_path: Path) -> None:
    none = servers.Servers({"postgresql": [], "databases": []}, str(tmp_path))
    none.close()
    none.open(None)
    assert (none.survey(), none.fit({}), none.limits(None), none.prints(), none.rows()) == ({}, [], {}, {}, {})


def test_names_tell_the_kind(both: Any) -> None:
    assert servers.databases_of({"mariadb": ["a"], "postgresql": ["b"]}) == ["postgresql b", "mariadb a"]
    assert both.prints(arrived=["mariadb a", "postgresql a"]) == {"mariadb a": 1}
    assert both._servers["mariadb"].heard == [("prints", ["a"])]
    assert both.rows() == {"mariadb a t": 3, "mariadb b t": 3}


def test_a_database_of_a_server_that_is_not_there_is_refused(both: Any) -> None:
    assert cause(both.give, None, "postgresql a") == "parcel_damaged"
    assert cause(both.take, None, "oracle a", {}) == "parcel_damaged"


def test_what_was_noted_goes_back_to_its_own_server(both: Any) -> None:
    assert both.limits({"mariadb": ["y"]}) == {"mariadb": ["x"]}
    both.open({"mariadb": ["y"], "postgresql": {"z": 1}})
    assert both._servers["mariadb"].heard == [("limits", ["y"]), ("open", ["y"])]
    assert both.accounts_make(None, {"mariadb": {"a": {}}}) == {"changed": True}


def test_files_of_servers_are_named_wherever_a_link_leads_but_never_the_whole_machine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    told = {"postgresql": f"{tmp_path}/link/", "mariadb": "/"}

    class Told:
        def __init__(self, kind: str) -> None:
            self.kind = kind

        def directory(self) -> str:
            return told[self.kind]

    one = servers.Servers({}, str(tmp_path))
    one._servers = {kind: Told(kind) for kind in told}
    assert one.directories() == [f"{tmp_path}/link", f"{tmp_path}/real"]


def test_a_database_needs_room_once_more_on_the_old_machine_where_its_server_keeps_it(
    both: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(both._servers["mariadb"], "directory", lambda: "/var/lib/mysql")
    found = {"mariadb": {"a": {"bytes": 5}, "b": {"bytes": 7}}}
    assert both.way_back(found) == [("/var/lib/mysql", 12)]
