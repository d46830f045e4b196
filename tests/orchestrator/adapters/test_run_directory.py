"""A run's directory is complete, private and new, or it is not there at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.model import AssetId, TenantId
from orchestrator.adapters.run_directory import RunRefused, build_run_directory
from orchestrator.core.domain import DomainSettings
from orchestrator.core.procedures import ProcedureSettings
from orchestrator.run_ports import RunOrder
from orchestrator.supervisor import files
from tests.run_orders import Field

TASK = "- ansible.builtin.debug: {msg: x}"


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    made = Field(state=tmp_path / "state")
    yield made
    assert made.leave() == ()


def built(field: Field, order: RunOrder) -> Path:
    return build_run_directory(order, field.runs._places)


def with_machine(order: RunOrder, **changes: str) -> RunOrder:
    """The order with other facts about its machines."""
    move = order.content.moves[0]
    machines = tuple(replace(machine, **changes) for machine in move.machines)  # type: ignore[arg-type]
    return replace(order, content=replace(order.content, moves=(replace(move, machines=machines),)))


def test_the_manifest_names_the_checksum_of_every_file_that_ansible_reads(field: Field) -> None:
    path = built(field, field.order(TASK))
    manifest = json.loads((path / files.MANIFEST).read_text())
    sums = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in manifest["files"]}
    assert manifest["files"] == sums
    assert {files.BOOK, files.INVENTORY, files.KNOWN_HOSTS, files.CONFIG} <= set(sums)


def test_only_this_user_can_enter_or_read(field: Field) -> None:
    path = built(field, field.order(TASK))
    assert {one.stat().st_mode & 0o777 for one in path.iterdir()} == {0o600, 0o700}
    assert path.stat().st_mode & 0o777 == 0o700


def test_an_existing_directory_is_never_reused(field: Field) -> None:
    order = field.order(TASK)
    built(field, order)
    with pytest.raises(RunRefused, match="exists already"):
        built(field, order)


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "-oProxyCommand=id"},
        {"address": "a;id"},
        {"address": "a\nb"},
        {"host_key": ""},
        {"access": "nobody"},
    ],
)
def test_a_machine_that_cannot_be_reached_safely_refuses_the_run_and_leaves_nothing(
    field: Field, changes: dict[str, str]
) -> None:
    with pytest.raises(RunRefused):
        built(field, with_machine(field.order(TASK), **changes))
    assert not (field.state / "runs").exists()
    assert not list(field.sockets.iterdir())


def test_hostile_names_stay_values_and_never_name_a_host(field: Field) -> None:
    order = field.order(TASK)
    name = "all:!x {{ lookup('pipe','id') }}"
    order = with_machine(order, name=name)
    text = (built(field, order) / files.INVENTORY).read_text()
    assert [line for line in text.splitlines() if name[:6] in line]
    assert all("!unsafe" in line for line in text.splitlines() if name[:6] in line)


@pytest.mark.parametrize("name", ["../../etc/x.yml", "/etc/x.yml", "act.yml ", "missing.yml", "act", "{{ x }}.yml"])
def test_only_a_playbook_inside_the_approved_tree_is_played(field: Field, name: str) -> None:
    with pytest.raises(RunRefused, match="holds no playbook"):
        built(field, replace(field.order(TASK), playbooks=(name,)))


def test_a_playbook_that_is_a_link_is_not_played(field: Field, tmp_path: Path) -> None:
    order = field.order(TASK)
    playbook = next(field.state.rglob("act.yml"))
    playbook.rename(tmp_path / "elsewhere.yml")
    playbook.symlink_to(tmp_path / "elsewhere.yml")
    with pytest.raises(RunRefused, match="holds no playbook"):
        built(field, order)


@pytest.mark.parametrize("tree", ["", "../x", "cd" * 32, "AB" * 32])
def test_without_the_approved_tree_there_is_no_run(field: Field, tree: str) -> None:
    order = field.order(TASK)
    runbook = replace(order.content.runbook, tree=tree)
    with pytest.raises(RunRefused, match="not there"):
        built(field, replace(order, content=replace(order.content, runbook=runbook)))


def test_a_run_without_a_playbook_is_refused(field: Field) -> None:
    with pytest.raises(RunRefused, match="no playbook"):
        built(field, replace(field.order(TASK), playbooks=()))


def test_an_asset_id_that_is_no_plain_word_refuses_the_run(field: Field) -> None:
    order = field.order(TASK)
    move = replace(order.content.moves[0], asset=AssetId("all"))
    attempts = (replace(order.run.attempts[0], asset=AssetId("all")),)
    hostile = replace(order, content=replace(order.content, moves=(move,)), run=replace(order.run, attempts=attempts))
    with pytest.raises(RunRefused, match="asset id"):
        built(field, hostile)


def test_a_procedure_s_settings_reach_the_playbook_as_values_that_are_never_looked_into(field: Field) -> None:
    order = field.order(TASK)
    settings = ProcedureSettings(
        name="{{ lookup('pipe', 'id') }}", data=("/srv/a",), unit="a.service", port=1, gateway_file="/etc/t",
        gateway_line="to {address}", gateway_reload=("true",), gateway_port=2, expect="no",
    )  # fmt: skip
    moves = tuple(replace(move, procedure=settings) for move in order.content.moves)
    asked = replace(order, content=replace(order.content, moves=moves), known={"fd00::7": "{{ 7*7 }}"})
    text = (built(field, asked) / "inventory.yml").read_text()
    assert '"kahn_known":' in text and '- !unsafe "fd00::7"' in text and '- !unsafe "{{ 7*7 }}"' in text
    assert (
        '''"name": !unsafe "{{ lookup('pipe', 'id') }}"''' in text and '"gateway_line": !unsafe "to {address}"' in text
    )


def test_a_domain_reaches_the_playbook_with_the_place_of_its_secret_and_without_the_secret(field: Field) -> None:
    order = field.order(TASK)
    assert "kahn_domain" not in (built(field, order) / files.INVENTORY).read_text()
    domain = DomainSettings(realm="AMT.TEST", join_account="kahn-join", secret_file="domain.secret")
    secret = field.runs._places.state / "domains" / order.content.tenant / "domain.secret"
    secret.parent.mkdir(parents=True)
    secret.write_text("Sesam-öffne\n")
    path = built(field, replace(field.order(TASK), content=replace(order.content, domain=domain)))
    inventory = (path / files.INVENTORY).read_text()
    assert '"realm": !unsafe "AMT.TEST"' in inventory
    assert f'"secret_file": !unsafe "{secret}"' in inventory
    assert not any(b"Sesam" in one.read_bytes() for one in path.iterdir() if one.is_file())
    other = replace(order, content=replace(order.content, domain=domain, tenant=TenantId("other")))
    path = built(field, replace(field.order(TASK), content=other.content))
    assert '/domains/other/domain.secret"' in (path / files.INVENTORY).read_text(), "never the one of another tenant"
    assert not any(b"Sesam" in one.read_bytes() for one in path.iterdir() if one.is_file())


def test_the_second_way_leads_to_the_second_address_with_the_approved_key_and_only_where_the_play_connects(
    field: Field,
) -> None:
    order = with_machine(field.order(TASK), second_address="10.99.0.1")
    path = built(field, replace(order, second_way=frozenset({AssetId("pc-1")})))
    inventory, known_hosts = (path / files.INVENTORY).read_text(), (path / files.KNOWN_HOSTS).read_text()
    assert '"ansible_host": !unsafe "10.99.0.1"' in inventory and "127.0.0.1" in inventory
    key = order.content.moves[0].machines[0].host_key
    assert all(line.endswith(key) for line in known_hosts.splitlines())  # known by a label, whatever the address
    first = (built(field, with_machine(field.order(TASK), second_address="10.99.0.1")) / files.INVENTORY).read_text()
    assert "10.99.0.1" not in first
