"""Gates that most towns have."""

from __future__ import annotations

from orchestrator.core.demands import KNOWN, NAME, Reach


def test_every_known_gate_has_a_plain_name_and_an_owner() -> None:
    assert all(NAME.fullmatch(name) and name == one.name and one.owner for name, one in KNOWN.items())


def test_proofs_that_grow_old_have_an_age() -> None:
    assert KNOWN["backup-restored"].max_age_days and KNOWN["rehearsal"].max_age_days
    assert KNOWN["backup-restored"].reach is Reach.ASSET
