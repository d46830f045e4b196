"""Freezing a planned wave."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory.model import Asset, AssetId, AssetKind, Snapshot, TenantId, Value
from inventory.psrp_options import Psrp
from orchestrator.core.access import AccessProfile
from orchestrator.core.approval import shown_text
from orchestrator.core.canonical import plain, restore
from orchestrator.core.domain import DomainSettings
from orchestrator.core.freeze import (
    AccessUnknown,
    Frozen,
    MachineMissing,
    Machines,
    NotByHand,
    ProcedureUnset,
    freeze_wave,
)
from orchestrator.core.plan import MoveGroup, PlannedBatch, PlannedWave, PlannedWindow, WaveKey
from orchestrator.core.policy import Policy
from orchestrator.core.procedures import PartnerSettings, ProcedureSettings
from orchestrator.core.reach import Reach
from orchestrator.core.ready import drift
from orchestrator.core.runbook import Adopted, Role, RoleSource
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import KEY, OPENS, a_runbook
from tests.orchestrator.core.test_by_hand import AT_DESKS

STADT = TenantId("stadt")
WORKSTATION = AssetKind.WORKSTATION
ROLES = (
    Role(name="source", machine=RoleSource.ASSET),
    Role(name="target", machine=RoleSource.SUCCESSOR),
    Role(name="vault", machine=RoleSource.VAULT),
    Role(name="jump", machine=RoleSource.JUMP),
)
RUNBOOK = replace(a_runbook(), roles=ROLES)
WAVE = PlannedWave(
    key=WaveKey("W01"),
    runbook="small",
    window=PlannedWindow(opens=OPENS, closes=OPENS + timedelta(hours=1), zone="Europe/Berlin", local="night"),
    groups=(MoveGroup(assets=(AssetId("apc"),)),),
    batches=(PlannedBatch(name="canary", assets=(AssetId("apc"),)),),
)


def an_asset(name: str, kind: AssetKind = AssetKind.WORKSTATION, **values: Value) -> Asset:
    reached: dict[str, Value] = {"address": f"{name}.example", "host_key": KEY, "access": "lab"}
    return Asset(
        id=AssetId(name), tenant=STADT, kind=kind, name=name,
        values=values if kind in (AssetKind.SEAT, AssetKind.PROCEDURE) else {**reached, **values},
    )  # fmt: skip


TOWN = (
    an_asset("apc", successor="NEU", site="Rathaus"),
    an_asset("neu"),
    an_asset("vault", AssetKind.SERVER, role="vault"),
    an_asset("seat-1", AssetKind.SEAT, machine="APC", department="Bürgeramt", users=3, procedures=("ewo",)),
    an_asset("EWO", AssetKind.PROCEDURE, protection="hoch"),
)


def frozen(*assets: Asset, **other: Any) -> WaveContent:
    given = {asset.id: asset for asset in (*TOWN, *assets)}
    usual = {
        "snapshot": Snapshot(tenant=STADT, assets=tuple(given.values()), dependencies=()),
        "policy": Policy(batch_budget=0.3, contacts=("0331 1",)), "runbooks": {"small": RUNBOOK},
        "profiles": {"lab": AccessProfile(name="lab", user="root", key_file="/keys/lab")}, "ansible_core": "2.19.1",
    }  # fmt: skip
    return freeze_wave(WAVE, Frozen(**{**usual, **other}))


def test_every_role_finds_its_machine_and_the_people_behind_it() -> None:
    (move,) = frozen().moves
    assert {one.role: one.name for one in move.machines} == {"source": "apc", "target": "neu", "vault": "vault"}
    assert (move.department, move.site, move.users) == ("Bürgeramt", "Rathaus", 3)


def test_limits_and_contacts_are_those_of_the_policy_at_that_moment() -> None:
    content = frozen()
    assert (content.thresholds.batch_budget, content.contacts) == (0.3, ("0331 1",))
    assert frozen(policy=Policy(batch_budget=0.4)).fingerprint != content.fingerprint


def test_what_the_approver_is_shown_is_part_of_the_fingerprint() -> None:
    content = frozen()
    assert content.shown == hashlib.sha256(shown_text(replace(content, shown="")).encode()).hexdigest()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (an_asset("apc", successor=""), "target: there is none"),
        (an_asset("apc", successor="gone"), "target: there is none"),
        (an_asset("neu", address=""), "neu has no address"),
        (an_asset("neu", host_key=""), "neu has no host_key"),
        (an_asset("vault", AssetKind.SERVER), "vault: there is none"),
        (an_asset("vault", AssetKind.SERVER, role="vault", access=""), "vault has no access"),
    ],
)
def test_a_machine_that_cannot_be_reached_stops_the_proposal(changed: Asset, why: str) -> None:
    with pytest.raises(MachineMissing, match=why):
        frozen(changed)


def test_an_access_profile_that_nobody_set_up_is_refused() -> None:
    with pytest.raises(AccessUnknown, match="'other'"):
        frozen(an_asset("neu", access="other"))


def test_only_the_access_profiles_that_are_used_are_frozen() -> None:
    profiles = {name: AccessProfile(name=name, user="root", key_file="/keys/x") for name in ("lab", "spare")}
    assert [one.name for one in frozen(profiles=profiles).access] == ["lab"]


def test_a_jump_machine_is_taken_where_there_is_one() -> None:
    (move,) = frozen(an_asset("gate", AssetKind.SERVER, role="jump")).moves
    assert move.machine("jump").name == "gate"


def test_of_two_machines_in_one_role_the_reachable_one_is_taken() -> None:
    spare = an_asset("a-vault", AssetKind.SERVER, role="vault", host_key="")
    assert frozen(spare).moves[0].machine("vault").name == "vault"


def test_a_procedure_of_very_high_protection_needs_two_approvers_however_its_name_is_written() -> None:
    assert frozen().approvers_needed == 1
    assert frozen(an_asset("EWO", AssetKind.PROCEDURE, protection="sehr hoch")).approvers_needed == 2


def test_machines_that_are_not_in_the_inventory_any_more_are_an_error() -> None:
    machines = Machines(Snapshot(tenant=STADT, assets=TOWN[1:], dependencies=()), RUNBOOK)
    with pytest.raises(KeyError):
        machines.of(AssetId("apc"))


def test_a_playbook_that_was_not_written_for_kahn_needs_two_approvers() -> None:
    adopted = replace(RUNBOOK, adopted=Adopted(origin="/srv/site.yml"))
    assert frozen(runbooks={"small": adopted}).approvers_needed == 2
    assert frozen().approvers_needed == 1


def test_steps_about_a_domain_are_part_of_a_wave_only_where_the_policy_has_one() -> None:
    """Without one the wave is the very same as from a runbook that knows no such step."""
    joins = replace(RUNBOOK.steps[-1], name="join", only_with="domain")
    runbooks = {"small": replace(RUNBOOK, steps=(*RUNBOOK.steps, joins))}
    without = frozen(runbooks=runbooks)
    assert without == frozen() and "domain" not in shown_text(without)
    domain = DomainSettings(realm="AMT.TEST", join_account="kahn-join", secret_file="domain.secret")
    content = frozen(runbooks=runbooks, policy=Policy(domain=domain))
    assert content.runbook.step_names == (*RUNBOOK.step_names, "join") and content.domain == domain
    assert "each successor joins the domain AMT.TEST with the account kahn-join" in shown_text(content)
    assert restore(WaveContent, plain(content)) == content
    assert frozen(policy=Policy(domain=domain)).domain is None


# ---------------------------------------------------------------------- procedures that move with their server


def settings_of(name: str) -> ProcedureSettings:
    return ProcedureSettings(
        name=name, data=("/srv/a",), unit="a.service", port=1, gateway_file="/etc/t", gateway_line="{address}",
        gateway_reload=("true",), gateway_port=2,
    )  # fmt: skip


def test_the_described_procedure_that_runs_on_the_machine_moves_with_it() -> None:
    runbooks = {"small": replace(RUNBOOK, procedure=True)}
    runs = an_asset("Wohngeld", AssetKind.PROCEDURE, machines=("APC",), protection="sehr hoch")
    policy = Policy(procedures=(settings_of("EWO"), settings_of("wohngeld")))
    content = frozen(runs, runbooks=runbooks, policy=policy)
    assert content.moves[0].procedure == settings_of("wohngeld") and content.approvers_needed == 2
    assert "with the procedure wohngeld: /srv/a" in shown_text(content)
    assert frozen(runs, policy=policy).moves[0].procedure is None
    assert restore(WaveContent, plain(content)) == content


PARTNER = PartnerSettings(machine="Kasse", files=("/etc/kasse.conf",))


def repointing(*assets: Asset, partner: PartnerSettings = PARTNER, **other: Any) -> WaveContent:
    """A wave whose procedure is reached from another procedure's machine."""
    runs = an_asset("Wohngeld", AssetKind.PROCEDURE, machines=("APC",))
    policy = Policy(procedures=(replace(settings_of("Wohngeld"), points_here=(partner,)),))
    return frozen(runs, *assets, runbooks={"small": replace(RUNBOOK, procedure=True)}, policy=policy, **other)


def test_machines_that_lead_to_a_procedure_are_frozen_with_it_and_shown() -> None:
    desk = an_asset("kasse", AssetKind.SERVER)
    content = repointing(desk)
    (move,) = content.moves
    assert [one.role for one in move.machines] == ["source", "target", "vault", "partner_1"]
    assert move.machine("partner_1").address == "kasse.example"
    assert "partner_1 kasse kasse.example" in shown_text(content)
    assert "re-pointed on Kasse: /etc/kasse.conf" in shown_text(content)
    assert restore(WaveContent, plain(content)) == content
    snapshot = Snapshot(tenant=STADT, assets=(*TOWN, desk), dependencies=())
    assert drift(content, snapshot) == {}
    moved = replace(desk, values={**desk.values, "address": "10.9.9.9"})
    assert "kasse" in str(drift(content, replace(snapshot, assets=(*TOWN, moved)))[AssetId("apc")])
    assert list(drift(content, replace(snapshot, assets=TOWN))) == ["apc"]


@pytest.mark.parametrize(
    ("machine", "values", "why"),
    [
        ("Kasse", None, "has no machine Kasse"),
        ("Kasse", {"host_key": ""}, "kasse has no host_key"),
        ("NEU", None, "neu has another role"),
    ],
)
def test_a_partner_that_cannot_be_re_pointed_stops_the_proposal(
    machine: str, values: dict[str, Value] | None, why: str
) -> None:
    others = () if values is None else (an_asset("kasse", AssetKind.SERVER, **values),)
    with pytest.raises(MachineMissing, match=why):
        repointing(*others, partner=replace(PARTNER, machine=machine))


def test_a_partner_that_is_not_reached_by_ssh_stops_the_proposal() -> None:
    far = AccessProfile(name="far", user="admin", key_file="/keys/far", psrp=Psrp(), port=5986)
    profiles = {"lab": AccessProfile(name="lab", user="root", key_file="/keys/lab"), "far": far}
    with pytest.raises(MachineMissing, match="kasse is not reached by ssh"):
        repointing(an_asset("kasse", AssetKind.SERVER, access="far"), profiles=profiles)


def test_a_machine_with_no_or_two_described_procedures_is_refused_by_such_a_runbook() -> None:
    runbooks = {"small": replace(RUNBOOK, procedure=True)}
    two = (an_asset("A", AssetKind.PROCEDURE, machines=("apc",)), an_asset("B", AssetKind.PROCEDURE, machines=("apc",)))
    for policy, why in ((Policy(), "none"), (Policy(procedures=(settings_of("A"), settings_of("B"))), "more than one")):
        with pytest.raises(ProcedureUnset, match=why):
            frozen(*two, runbooks=runbooks, policy=policy)


def test_for_work_by_hand_no_machine_needs_to_be_reached() -> None:
    bare: dict[str, Value] = {"address": "", "host_key": "", "access": ""}
    seat = (an_asset("apc", WORKSTATION, successor="NEU", **bare), an_asset("neu", WORKSTATION, **bare))
    at_desks = replace(AT_DESKS, roles=ROLES[:2])
    content = frozen(*seat, runbooks={"small": at_desks}, profiles={})
    assert [one.name for one in content.moves[0].machines] == ["apc", "neu"] and content.access == ()
    with pytest.raises(MachineMissing):
        frozen(an_asset("apc", WORKSTATION, successor="gone", **bare), runbooks={"small": at_desks})


def test_a_runbook_that_reaches_machines_is_no_work_by_hand() -> None:
    with pytest.raises(NotByHand, match="small"):
        frozen(policy=Policy(by_hand={AssetKind.WORKSTATION: "small"}))


def test_whoever_uses_a_procedure_needs_the_server_on_which_it_runs_and_no_seat_machine() -> None:
    ewo = an_asset("EWO", AssetKind.PROCEDURE, users=40, machines=("apc",))
    assert [move.users for move in frozen(ewo, an_asset("apc", AssetKind.SERVER, successor="neu")).moves] == [40]
    assert [move.users for move in frozen(ewo).moves] == [3]


def test_what_is_used_from_a_seat_is_frozen_with_address_and_port_and_comes_back_from_the_store() -> None:
    server = an_asset("ewo-1", AssetKind.SERVER, procedures=("EWO",), services=("tcp/443 https",))
    content = frozen(server)
    (move,) = content.moves
    assert move.reach == (Reach(name="EWO", address="ewo-1.example", port=443),)
    assert restore(WaveContent, plain(content)) == content
    assert content.fingerprint != frozen().fingerprint
