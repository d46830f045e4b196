"""``kahn tenant``: whose IT is moved, and what each allows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from orchestrator.cli import tenant
from orchestrator.cli.context import BadTenantName
from orchestrator.cli.tenant import FileUnreadable
from orchestrator.core.policy_file import render_example
from orchestrator.core.refusals import TenantExists
from tests.known_town import call
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import STADT


def test_a_tenant_is_added_once_with_the_example_policy(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    call(tenant.app, context, "add", "kreis")
    assert call(tenant.app, context, "list").output.split() == ["kreis", "stadt"]
    assert json.loads(call(tenant.app, sitting_down(town, json=True), "list").stdout) == ["kreis", "stadt"]
    with pytest.raises(TenantExists):
        call(tenant.app, context, "add", "kreis")


@pytest.mark.parametrize("name", ["", "Kreis", "../x", "k r", "1a", "a" * 32, "kreis\n", "{{x}}"])
def test_what_cannot_be_a_tenants_name_is_refused(tmp_path: Path, name: str) -> None:
    context, _town = a_terminal(tmp_path)
    with pytest.raises(BadTenantName):
        call(tenant.app, context, "add", "--", name)


def test_the_example_policy_can_be_put_in_force_as_it_is(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    printed = call(tenant.app, context, "policy", "--example").output
    assert printed.strip() == render_example().strip()
    (tmp_path / "policy.toml").write_text(printed)
    assert "zone = Europe/Berlin" in call(tenant.app, context, "policy", "--file", str(tmp_path / "policy.toml")).output
    with town.store.reading() as books:
        assert books.journal.read(STADT)[-1].entry.kind == "tenant.policy"


@pytest.mark.parametrize("content", [b"zone = ", b"\xff\xfe", b"colour = 'red'", b"assets_per_window = 0"])
def test_a_policy_that_cannot_be_used_changes_nothing(tmp_path: Path, content: bytes) -> None:
    context, town = a_terminal(tmp_path)
    (tmp_path / "policy.toml").write_bytes(content)
    with town.store.reading() as books:
        before = books.tenants.policy(STADT)
    with pytest.raises(ExpectedError):
        call(tenant.app, context, "policy", "--file", str(tmp_path / "policy.toml"))
    with pytest.raises(FileUnreadable):
        call(tenant.app, context, "policy", "--file", str(tmp_path))
    with town.store.reading() as books:
        assert books.tenants.policy(STADT) == before


def test_the_example_policy_is_one_json_document_too(tmp_path: Path) -> None:
    _context, town = a_terminal(tmp_path)
    found = json.loads(call(tenant.app, sitting_down(town, json=True), "policy", "--example").stdout)
    assert "[[weekly]]" in found["example"]


def test_a_policy_that_retires_by_no_runbook_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    for name in ("retire-aset", "move-files"):
        (tmp_path / "policy.toml").write_text(f'[retire]\nserver = "{name}"\n')
        for words in (("policy",), ("add", "kreis")):
            option = "--file" if words == ("policy",) else "--policy"
            with pytest.raises(ExpectedError):
                call(tenant.app, context, *words, option, str(tmp_path / "policy.toml"))
    assert call(tenant.app, context, "list").output.split() == ["stadt"]
    with town.store.reading() as books:
        assert books.tenants.policy(STADT).retire == {}
