"""Rows of notices: tests/orchestrator/adapters/test_tables.py compares them with the migrated tables."""

from __future__ import annotations

from inventory.tables import METADATA
from orchestrator.adapters.notice_tables import NoticeCallRow, NoticeRow


def test_the_tenant_is_part_of_both_keys() -> None:
    for row in (NoticeRow, NoticeCallRow):
        key = METADATA.tables[str(row.__tablename__)].primary_key.columns.keys()
        assert key[:2] == ["tenant", "number"]
