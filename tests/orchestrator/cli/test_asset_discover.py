"""``kahn asset discover`` with a real store and a real ssh server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.adapters import ssh, ssh_line
from orchestrator.adapters.credentials import CredentialsWrong
from orchestrator.cli.asset import app
from orchestrator.cli.context import Context, NotConfirmed
from orchestrator.core.access import AccessProfile
from tests.estates import TENANT, an_asset, an_estate
from tests.orchestrator.adapters.test_credentials import a_vault
from tests.planning_town import a_home
from tests.sshd import Server, server

__all__ = ["server"]


@pytest.fixture
def home(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Loopback is refused as a machine's address, so the name of this machine's server is looked up there."""
    good = an_asset("srv-1", address="srv-1.stadt.example", access="here", host_key=server.host_key)
    lost = an_asset("srv-2", address="srv-2.stadt.example", access="here")
    made = a_home(tmp_path, estate=an_estate(also=(good, lost)))
    with made.world.transaction() as books:
        profile = AccessProfile(name="here", user="root", key_file=str(server.key_file), port=server.port)
        books.tenants.put_access(TENANT, profile)
    real = ssh_line.connected
    monkeypatch.setattr(ssh, "connected", lambda _address, port, **more: real("127.0.0.1", port, **more))
    return made


def called(home: Context, *words: str, yes: bool = True, as_json: bool = False) -> Result:
    context = Context(home=home.home, tenant_name=TENANT, plain=True, yes=yes, json=as_json)
    return CliRunner().invoke(app, ["discover", *words], obj=context)


def values(home: Context, name: str) -> dict[str, object]:
    with home.world.store.reading() as books:
        return next(dict(one.values) for one in books.assets.snapshot(TENANT).assets if one.name == name)


def test_a_machine_is_asked_the_difference_shown_and_taken(home: Context) -> None:
    shown = called(home, "srv-1", "--dry-run")
    assert shown.exit_code == 0, shown.exception
    assert "~ srv-1: arch ? ->" in shown.output and "cpu_cores" not in values(home, "srv-1")
    assert isinstance(called(home, "srv-1", yes=False).exception, NotConfirmed)
    assert called(home, "srv-1").exit_code == 0
    assert values(home, "srv-1")["cpu_cores"] and values(home, "srv-1")["last_seen"]


def test_machines_without_a_report_are_named_and_the_exit_code_says_so(home: Context) -> None:
    result = called(home, "srv-*", as_json=True)
    assert result.exit_code == 7
    answer = json.loads(result.stdout)
    assert answer["answered"] == 1 and [one["code"] for one in answer["troubles"]] == ["no_host_key"]


def test_a_vault_opens_what_no_key_file_opens_and_is_opened_before_anybody_is_asked(
    home: Context, server: Server, tmp_path: Path
) -> None:
    with home.world.transaction() as books:
        profile = AccessProfile(name="here", user="root", key_file="/nowhere/key", port=server.port)
        books.tenants.put_access(TENANT, profile)
    assert called(home, "srv-1", "--dry-run").exit_code == 7
    key = "".join(f"    {line}\n" for line in server.key_file.read_text().splitlines())
    file, password = a_vault(tmp_path, f"here:\n  private_key: |\n{key}")
    words = ("srv-1", "--credentials", str(file), "--vault-password-file", str(password))
    assert called(home, *words).exit_code == 0
    assert values(home, "srv-1")["cpu_cores"]
    password.write_text("another\n")
    assert isinstance(called(home, *words).exception, CredentialsWrong)
