"""Grounds for a rehearsal: simulated ones touch nothing, those of the lab are gone afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.signatures import SshSignatures, read_public_key
from orchestrator.core.runbook import Role, RoleSource
from orchestrator.lab.rehearsal import lab_ground, simulated_ground, throw_away_key
from tests.labs import traces
from tests.orchestrator.core.builders import OPENS, a_runbook, a_wave, replace


def test_simulated_ground_has_the_waves_own_assets_and_another_program_in_place_of_ansible(tmp_path: Path) -> None:
    wave = a_wave()
    with simulated_ground(tmp_path, wave, now=OPENS) as ground, ground.inside():
        assert ground.content.moves == wave.moves and ground.content.window != wave.window
        assert ground.program is not None and ground.program.parent == tmp_path


def test_a_throw_away_key_signs(tmp_path: Path) -> None:
    key, signatures = throw_away_key(tmp_path, "somebody"), SshSignatures()
    signature = signatures.sign(b"this", key_file=key)
    assert signatures.holds(b"this", signature=signature, public_key=read_public_key(key.with_suffix(".pub")))


@pytest.mark.lab
@pytest.mark.long
def test_lab_ground_raises_seats_and_takes_them_away(tmp_path: Path) -> None:
    sources = {"source": RoleSource.ASSET, "target": RoleSource.SUCCESSOR}
    runbook = replace(a_runbook(), roles=tuple(Role(name=name, machine=source) for name, source in sources.items()))
    told: list[str] = []
    with lab_ground(
        tmp_path, a_wave(runbook=runbook), seats=1, now=OPENS, tell=lambda notice: told.append(str(notice))
    ) as ground:
        lab_id = (tmp_path / "lab" / "lab.json").read_text().split('"')[3]
        assert [one.name for one in ground.content.moves[0].machines] == ["apc-0001", "neu-0001"]
        assert traces(tmp_path / "lab", lab_id)
    assert told and not traces(tmp_path / "lab", lab_id)
