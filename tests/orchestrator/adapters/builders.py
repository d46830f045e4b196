"""Small whole values for the store's tests: a tenant with people, a plan, a wave, a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from inventory.model import AssetId, TenantId
from orchestrator.core.access import AccessProfile
from orchestrator.core.plan import MoveGroup, Plan, PlannedBatch, PlannedWave, PlannedWindow, WaveKey
from orchestrator.core.policy import Policy
from orchestrator.core.runbook import Baseline, Direction, Effect, Role, RoleSource, Runbook, Step
from orchestrator.core.wave import (
    Act,
    ActKind,
    PersonId,
    RunId,
    SignedAct,
    Thresholds,
    WaveContent,
    WaveMachine,
    WaveMove,
)
from orchestrator.ports import Books, WaveRow
from orchestrator.run_ports import AttemptSpec, RunRow

TOWN = TenantId("town")
NOW = datetime(2026, 11, 30, 21, 0, 0, 123456, tzinfo=UTC)
WINDOW = PlannedWindow(opens=NOW, closes=NOW + timedelta(hours=6), zone="Europe/Berlin", local="Mon 22:00-04:00")


def a_key(number: int) -> str:
    """A public key that is no real one; each number gives another."""
    return f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{number:034d}"


def a_plan(tenant: TenantId = TOWN, *, parent: str = "", seed: int = 0, assets: int = 3) -> Plan:
    """A plan with one wave of so many assets."""
    ids = tuple(AssetId(f"a{number}") for number in range(assets))
    batches = (PlannedBatch(name="canary", assets=ids[:1]), PlannedBatch(name="b1", assets=ids[1:]))
    wave = PlannedWave(
        key=WaveKey("W01"),
        runbook="replace-workstation",
        window=WINDOW,
        groups=tuple(MoveGroup(assets=(one,)) for one in ids),
        batches=batches,
    )
    return Plan(tenant=tenant, parent=parent, made_from="f" * 64, not_before=NOW, seed=seed, waves=(wave,), why_not=())


def a_content(plan: Plan, *, key: str = "W01", contacts: tuple[str, ...] = ()) -> WaveContent:
    """The frozen content of the plan's wave, under any key."""
    planned = plan.waves[0]
    step = Step(name="save", title="Save", on="source", effect=Effect.ONCE, playbook="save.yml")
    return WaveContent(
        tenant=plan.tenant,
        key=WaveKey(key),
        runbook=Runbook(
            name="replace-workstation",
            title="Replace",
            ansible="modern",
            roles=(Role(name="source", machine=RoleSource.ASSET),),
            baseline=Baseline(on="source", take="take.yml", compare="compare.yml"),
            steps=(step,),
        ),
        ansible_core="2.19.14",
        window=planned.window,
        groups=planned.groups,
        batches=planned.batches,
        moves=tuple(a_move(asset) for asset in planned.assets),
        access=(AccessProfile(name="lab", user="root", key_file="/k"),),
        thresholds=Thresholds(
            batch_budget=0.2, wave_budget=0.1, auto_rollback_max=3, max_tries=2, probe_tries=5, probe_gap_s=20, forks=10
        ),
        approvers_needed=1,
        contacts=contacts,
        shown="e" * 64,
    )


def a_move(asset: AssetId) -> WaveMove:
    """A move of one workstation."""
    machine = WaveMachine(role="source", name=f"pc-{asset}", address="10.0.0.1", host_key="k", access="lab")
    return WaveMove(asset=asset, name=f"PC-{asset}", department="Bau", site="Rathaus", users=1, machines=(machine,))


@dataclass(frozen=True)
class Town:
    """A tenant with two people, a plan and the wave W01."""

    anna: PersonId
    bert: PersonId
    plan: Plan
    wave: WaveRow


def a_town(books: Books, tenant: TenantId = TOWN, *, assets: int = 3) -> Town:
    """A tenant with Anna and Bert, a plan in force, and its wave as a draft."""
    books.tenants.add(tenant, policy=Policy())
    anna = books.people.add(tenant, name="Anna", public_key=a_key(1))
    bert = books.people.add(tenant, name="Bert", public_key=a_key(2))
    plan = a_plan(tenant, assets=assets)
    books.plans.put(tenant, plan, at=NOW)
    wave = books.waves.put(a_content(plan), plan=plan.fingerprint, at=NOW)
    return Town(anna=anna.id, bert=bert.id, plan=plan, wave=wave)


def an_act(wave: WaveRow, kind: ActKind, by: PersonId, *, for_person: PersonId | None = None) -> SignedAct:
    """An act with a signature that nobody checks here."""
    act = Act(
        kind=kind,
        tenant=wave.tenant,
        wave=WaveKey(wave.key),
        fingerprint=wave.fingerprint,
        by=by,
        at=NOW,
        for_person=for_person,
    )
    return SignedAct(act=act, signature="-----BEGIN SSH SIGNATURE-----", public_key=a_key(1))


def a_run(wave: WaveRow, number: int, *assets: str, machines: tuple[str, ...] = ()) -> RunRow:
    """A run on the assets; each uses its own machine unless machines are given."""
    attempts = tuple(
        AttemptSpec(id=f"t{number}-{asset}", asset=AssetId(asset), machines=machines or (f"pc-{asset}",))
        for asset in assets
    )
    return RunRow(
        id=RunId(f"r{number}"),
        tenant=wave.tenant,
        wave=wave.key,
        revision=wave.revision,
        batch="canary",
        step="save",
        direction=Direction.DO,
        epoch=1,
        attempts=attempts,
        intended_at=NOW,
        deadline=NOW + timedelta(minutes=10),
    )
