"""``kahn sync`` against a NetBox-shaped server over HTTP, with a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inventory.errors import ExpectedError
from inventory.model import InvalidValue
from inventory.sources import netbox_http
from inventory.store import UnknownTenant
from orchestrator.adapters import netbox_out
from orchestrator.cli.context import Context, NotConfirmed
from orchestrator.cli.sync import app
from orchestrator.core.netbox import Writes
from tests.estates import TENANT, an_asset, an_estate
from tests.netboxes import V2, Netbox, running, saying, secrets_in
from tests.planning_town import a_home

DEVICES = "dcim/devices"


@pytest.fixture
def netbox() -> Iterator[Netbox]:
    with running(Netbox()) as made:
        made.site("Rathaus")
        made.device("apc-1", serial="SN-1")
        made.device("apc-9", description="{{ lookup('pipe','id') }}")
        yield made


@pytest.fixture
def home(tmp_path: Path, netbox: Netbox, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(netbox_http.Patience, "__init__", _quick)
    made = a_home(tmp_path, estate=an_estate(also=(an_asset("apc-1"),)))
    token = tmp_path / "token"
    token.write_text(f"{V2}\n")
    token.chmod(0o600)
    words = ["setup", "netbox", "--url", netbox.url, "--token-file", str(token), "--netbox-tenant", "stadt"]
    assert called(made, *words).exit_code == 0
    return made


def _quick(self: Any) -> None:
    for name, value in {
        "connect_s": 2, "silence_s": 2, "answer_s": 5, "tries": 2, "first_wait_s": 0, "most_wait_s": 0
    }.items():  # fmt: skip
        object.__setattr__(self, name, value)


def called(home: Context, *words: str, yes: bool = True, as_json: bool = False) -> Result:
    context = Context(home=home.home, tenant_name=TENANT, plain=True, yes=yes, json=as_json)
    return CliRunner().invoke(app, list(words), obj=context)


def answer(home: Context, *words: str) -> Any:
    result = called(home, *words, as_json=True)
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def refused(home: Context, *words: str, yes: bool = True) -> ExpectedError:
    found = called(home, *words, yes=yes).exception
    assert isinstance(found, ExpectedError), found
    return found


def names(home: Context) -> list[str]:
    with home.world.store.reading() as books:
        return sorted(one.name for one in books.assets.snapshot(TENANT).assets)


def test_show_writes_nothing_here_or_there(home: Context, netbox: Netbox) -> None:
    result = called(home, "show", "netbox")
    assert result.exit_code == 0, result.exception
    assert "+ workstation apc-9" in result.output and "serial ? -> SN-1" in result.output
    assert "To NetBox: 2 objects" in result.output and "Writing to NetBox: off" in result.output
    assert names(home) == ["apc-1", "vault-1"] and netbox.writes() == []


def test_the_first_difference_is_only_shown_and_the_second_time_written(home: Context, netbox: Netbox) -> None:
    called(home, "prepare", "netbox")
    netbox.asked.clear()
    first = called(home, "apply", "netbox")
    assert "This is the first difference" in first.output and netbox.writes() == []
    assert names(home) == ["Rathaus", "apc-1", "apc-9", "vault-1"]
    second = answer(home, "apply", "netbox")
    assert second["written_there"] == 2
    assert netbox.tables[DEVICES][1]["custom_fields"] == {"mig_uid": "apc-1"}
    netbox.now += timedelta(hours=1)
    called(home, "apply", "netbox")
    netbox.asked.clear()
    netbox.now += timedelta(hours=1)
    third = answer(home, "apply", "netbox")
    assert (third["written_here"], third["written_there"], netbox.writes()) == (0, 0, [])


def test_nobody_at_the_keyboard_and_no_yes_changes_nothing(home: Context, netbox: Netbox) -> None:
    assert isinstance(refused(home, "apply", "netbox", yes=False), NotConfirmed)
    assert names(home) == ["apc-1", "vault-1"]


def test_without_the_custom_fields_nothing_is_written_and_the_way_out_is_named(home: Context, netbox: Netbox) -> None:
    called(home, "apply", "netbox")
    error = refused(home, "apply", "netbox")
    assert error.code == "NBX-011" and "prepare" in str(error) and netbox.writes() == []


def after_first_write(netbox: Netbox) -> list[str]:
    """What was asked of the server after it had been written to once."""
    verbs = [verb for verb, _path, _query in netbox.asked]
    return verbs[verbs.index("PATCH") + 1 :] if "PATCH" in verbs else []


def test_a_push_that_breaks_off_says_so_and_the_next_one_completes_it(
    home: Context, netbox: Netbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(home, "prepare", "netbox")
    called(home, "apply", "netbox")
    netbox.now += timedelta(hours=1)
    called(home, "apply", "netbox", "--only-in")
    monkeypatch.setattr(netbox_out, "AT_ONCE", 1)
    away = saying(503)
    netbox.faults += [lambda handler: bool(after_first_write(netbox)) and away(handler)] * 100
    error = refused(home, "apply", "netbox")
    assert error.code == "NBX-001"
    with home.world.store.reading() as books:
        state = books.netbox.state(TENANT)
    netbox.faults.clear()
    assert (state.complete, state.told, state.writes) == (False, "1 of 2 objects written, then NBX-001", Writes.ON)
    assert answer(home, "apply", "netbox")["written_there"] == 1


def test_lists_that_the_token_may_not_see_are_named(home: Context, netbox: Netbox) -> None:
    assert "may not see" not in called(home, "show", "netbox").output
    netbox.forbids |= {"dcim/mac-addresses", "tenancy/contact-assignments"}
    told = called(home, "show", "netbox").output
    assert "may not see: dcim/mac-addresses, tenancy/contact-assignments" in " ".join(told.split())
    assert answer(home, "apply", "netbox")["denied"] == ["dcim/mac-addresses", "tenancy/contact-assignments"]


def test_a_token_stands_nowhere_but_in_its_own_file(home: Context, netbox: Netbox, tmp_path: Path) -> None:
    called(home, "prepare", "netbox")
    outputs = [called(home, "apply", "netbox").output, called(home, "show", "netbox", as_json=True).output]
    stored = [path.read_bytes().decode("latin-1") for path in home.settings.home.rglob("*") if path.is_file()]
    assert [secrets_in(text) for text in (*outputs, *stored) if secrets_in(text)] == []
    (tmp_path / "token").chmod(0o644)
    assert "others may read it" in str(refused(home, "show", "netbox"))


def test_a_hostile_netbox_leaves_the_store_untouched(home: Context, netbox: Netbox) -> None:
    netbox.faults.append(saying(302, "", Location="http://127.0.0.1/"))
    assert refused(home, "apply", "netbox").code == "NBX-004"
    assert names(home) == ["apc-1", "vault-1"]


def test_bad_roles_and_addresses_are_refused(home: Context) -> None:
    words = ("setup", "netbox", "--url", "https://netbox.example", "--token-env", "T")
    assert isinstance(refused(home, *words, "--role", "kiosk"), InvalidValue)
    assert isinstance(refused(home, *words, "--role", "kiosk=spaceship"), InvalidValue)
    assert refused(home, "setup", "netbox", "--url", "http://netbox.example", "--token-env", "T").code == "NBX-010"
    assert refused(home, "setup", "netbox", "--url", "https://netbox.example").code == "NBX-010"
    assert called(home, *words, "--role", "kiosk=thin_client").exit_code == 0


def test_a_tenant_that_is_not_there_is_refused(home: Context) -> None:
    context = Context(home=home.home, tenant_name="nowhere", plain=True, yes=True)
    words = ["setup", "netbox", "--url", "https://netbox.example", "--token-env", "T"]
    assert isinstance(CliRunner().invoke(app, words, obj=context).exception, UnknownTenant)
