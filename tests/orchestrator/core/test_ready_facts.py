"""Start gates that look at facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.model import Asset, AssetId, AssetKind, Snapshot, Value
from orchestrator.core.ready_facts import boot_lines, facts_line, keys_line, vault_lines
from orchestrator.core.runbook import Role, RoleSource
from orchestrator.core.wave import WaveContent, WaveMachine
from tests.orchestrator.core.builders import KEY, OPENS, a_runbook, a_wave

WAVE = a_wave(batches={"b1": 2})


def change(asset: str, field: str, *, minutes: int = 1, before: object = "old") -> dict[str, object]:
    return {"at_us": OPENS + timedelta(minutes=minutes), "asset": asset, "field": field, "before": before}


def test_a_machine_that_was_seen_otherwise_after_the_proposal_stays_behind_alone() -> None:
    found = facts_line(WAVE, [change("APC-A01", "disks")], since=OPENS)
    assert (found.verdict, found.assets) == ("held", ("a01",))
    assert "APC-A01: disks" in found.says.text


@pytest.mark.parametrize(
    "history",
    [
        [],
        [change("apc-a01", "disks", minutes=-1)],
        [change("apc-a01", "note")],
        [change("apc-a01", "services", before=None)],
        [change("apc-zzz", "disks")],
    ],
)
def test_what_was_known_before_is_new_or_means_nothing_is_no_drift(history: list[dict[str, object]]) -> None:
    assert facts_line(WAVE, history, since=OPENS).verdict == "ok"


def test_a_key_that_cannot_be_read_holds_its_assets_and_blocks_when_it_is_every_one() -> None:
    assert keys_line(WAVE, {}).verdict == "ok"
    assert keys_line(WAVE, {"lab": "No such file"}).verdict == "blocks"
    first, second = WAVE.moves
    other = replace(second, machines=(replace(second.machines[0], access="other"),))
    found = keys_line(replace(WAVE, moves=(first, other)), {"lab": "No such file"})
    assert (found.verdict, found.assets) == ("held", ("a01",))


def with_vault() -> WaveContent:
    roles = (*a_runbook().roles, Role(name="vault", machine=RoleSource.VAULT))
    vault = WaveMachine(role="vault", name="tresor", address="10.0.0.9", host_key=KEY, access="lab")
    moves = tuple(replace(move, machines=(*move.machines, vault)) for move in WAVE.moves)
    return replace(WAVE, runbook=replace(a_runbook(), roles=roles), moves=moves)


def disks(**gib: tuple[float | None, float | None]) -> Snapshot:
    def asset(name: str, size: float | None, used: float | None) -> Asset:
        given: dict[str, Value | None] = {"disk_gib": size, "disk_used_gib": used}
        values = {field: value for field, value in given.items() if value is not None}
        kind = AssetKind.SERVER if name == "tresor" else AssetKind.WORKSTATION
        return Asset(id=AssetId(name), tenant=WAVE.tenant, kind=kind, name=name.replace("_", "-"), values=values)

    return Snapshot(tenant=WAVE.tenant, assets=tuple(asset(n, *both) for n, both in gib.items()), dependencies=())


@pytest.mark.parametrize(("used", "verdict"), [((30, 40), "ok"), ((60, 50), "blocks"), ((30, None), "unknown")])
def test_the_vault_must_have_room_for_all_and_what_nobody_knows_is_not_called_well(
    used: tuple[float | None, float | None], verdict: str
) -> None:
    snapshot = disks(tresor=(400, 300), apc_a01=(500, used[0]), apc_a02=(500, used[1]))
    (found,) = vault_lines(with_vault(), snapshot)
    assert found.verdict == verdict and (found.remedy is None) is (verdict == "ok")


def test_a_runbook_without_a_vault_has_no_such_gate() -> None:
    assert vault_lines(WAVE, disks()) == ()


def booting(*macs: str) -> WaveContent:
    roles = (*a_runbook().roles, Role(name="target", machine=RoleSource.SUCCESSOR))
    runbook = replace(a_runbook(), roles=roles, boots=True)
    moves = []
    for number, (move, mac) in enumerate(zip(WAVE.moves, macs, strict=True)):
        own = tuple(mac.split())
        new = WaveMachine(role="target", name=f"neu-{number}", address="10.0.0.9", host_key=KEY, access="lab", mac=own)
        moves.append(replace(move, machines=(*move.machines, new)))
    return replace(WAVE, runbook=runbook, moves=tuple(moves))


def known_by(**macs: str) -> Snapshot:
    assets = tuple(
        Asset(
            id=AssetId(name), tenant=WAVE.tenant, kind=AssetKind.WORKSTATION, name=name.replace("_", "-"),
            values={"mac": (mac,)},
        )
        for name, mac in macs.items()
    )  # fmt: skip
    return Snapshot(tenant=WAVE.tenant, assets=assets, dependencies=())


ONE, TWO = "52:54:00:00:00:01", "52:54:00:00:00:02"


def test_a_machine_that_boots_by_anothers_hardware_address_stays_behind_with_both_names() -> None:
    (line,) = boot_lines(booting(ONE, TWO), known_by(neu_0=ONE, neu_1=TWO, drucker=TWO))
    assert (line.verdict, line.assets) == ("held", ("a02",)) and f"neu-1, drucker ({TWO})" in line.says.text
    (line,) = boot_lines(booting(ONE, TWO), known_by(neu_0=ONE, neu_1=TWO))
    assert line.verdict == "ok"


def test_none_or_several_hardware_addresses_to_boot_by_block_a_wave_of_such_machines() -> None:
    (line,) = boot_lines(booting("", f"{ONE} {TWO}"), known_by(neu_0=ONE))
    assert line.verdict == "blocks" and boot_lines(WAVE, known_by(neu_0=ONE)) == ()
