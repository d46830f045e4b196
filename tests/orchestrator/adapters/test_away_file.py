"""What a timer remembers of a store that is away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.model import TenantId
from orchestrator.adapters.away_file import NAME, AwayFile
from orchestrator.core.notices import Call
from orchestrator.core.store_away import Away

NOW = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
CALL = Call(tenant=TenantId("stadt"), number=1, contact="mail", tries=2, next_at=NOW, trouble="no route")


def test_it_is_remembered_by_the_next_program_until_somebody_says_that_it_is_over(tmp_path: Path) -> None:
    assert AwayFile(tmp_path).recall() is None
    AwayFile(tmp_path).keep(Away(since=NOW, calls=(CALL,)))
    assert AwayFile(tmp_path).recall() == Away(since=NOW, calls=(CALL,))
    assert [AwayFile(tmp_path).forget(), AwayFile(tmp_path).forget()] == [True, False]
    assert AwayFile(tmp_path).recall() is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"since": "yesterday"}', b"\xff\xfe", b"[]"])
def test_a_torn_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert AwayFile(tmp_path).recall() is None


def test_a_state_directory_that_cannot_be_written_stops_nothing_and_hides_no_end(tmp_path: Path) -> None:
    gone = AwayFile(tmp_path / "gone")
    gone.keep(Away(since=NOW))
    assert gone.recall() is None and gone.forget()
