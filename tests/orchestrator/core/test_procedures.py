"""Settings of a procedure."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core.procedures import InvalidProcedure, PartnerSettings, ProcedureSettings

USUAL: dict[str, Any] = {
    "name": "Wohngeld", "data": ("/srv/wohngeld",), "programs": ("/etc/wohngeld.ini",), "unit": "wohngeld.service",
    "port": 8080, "gateway_file": "/etc/nginx/target", "gateway_line": "to {address}", "gateway_reload": ("true",),
    "gateway_port": 80,
}  # fmt: skip


def test_usual_settings_are_taken() -> None:
    assert (
        ProcedureSettings(**USUAL, databases=("/srv/wohngeld/a.db",), configuration=("/etc/wohngeld.ini",)).port == 8080
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data", ()), ("data", ("/",)), ("data", ("/etc",)), ("data", ("srv/a",)), ("data", ("/srv/../etc",)),
        ("data", ("/srv/a\nb",)), ("databases", ("/srv/other.db",)), ("configuration", ("/etc/passwd",)),
        ("jobs", ("/srv/wohngeld/job",)), ("unit", "../x.service"), ("unit", ""), ("start", ("true",)),
        ("user", "root:x"), ("reaches", ("host",)), ("reaches", ("host:99999",)), ("postgresql", ('a"b',)),
        ("postgresql_account", "a b"), ("postgresql_programs", "bin"),
        ("switch_files", ("zone",)), ("switch_files", ("/etc/nginx/target",)), ("switch_reload", ("true",)),
        ("mariadb", ("a b",)), ("mariadb_socket", "socket"), ("mariadb_account", "a;b"), ("mariadb_programs", "bin"),
        ("points_here", (PartnerSettings(machine="a", files=()),)),
        ("points_here", (PartnerSettings(machine="a", files=("etc/a",)),)),
        ("points_here", (PartnerSettings(machine="a", files=("/etc/a",), port=65536),)),
        ("points_here", (PartnerSettings(machine="a", files=("/b",)), PartnerSettings(machine="A", files=("/c",)))),
        ("points_here", tuple(PartnerSettings(machine=str(n), files=("/etc/a",)) for n in range(21))),
        ("port", 0), ("gateway_port", 99999), ("gateway_line", "to the server"),
        ("gateway_file", ""), ("gateway_reload", ()), ("path", "index"), ("path", "/a\r\nX: 1"), ("host", "a\nb"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_or_reach_too_far_are_refused(key: str, value: object) -> None:
    with pytest.raises(InvalidProcedure) as found:
        ProcedureSettings(**{**USUAL, key: value})
    assert found.value.facts["name"] == "Wohngeld"
