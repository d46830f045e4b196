"""Rows of occurrences: tests/orchestrator/adapters/test_tables.py compares them with the migrated tables."""

from __future__ import annotations

from inventory.tables import METADATA
from orchestrator.adapters.occurrence_tables import OccurrenceRow


def test_tenant_wave_and_revision_are_the_key() -> None:
    key = METADATA.tables[str(OccurrenceRow.__tablename__)].primary_key.columns.keys()
    assert key == ["tenant", "wave", "revision"]
