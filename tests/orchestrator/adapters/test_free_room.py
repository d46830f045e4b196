"""How much room is left."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.adapters.free_room import database_folder, free_gib


def test_free_room_is_what_the_file_system_says_and_none_where_nobody_can_tell(tmp_path: Path) -> None:
    assert abs(free_gib(tmp_path) - shutil.disk_usage(tmp_path).free / 2**30) < 5
    assert free_gib(tmp_path / "nothing" / "here") == 0.0


def test_only_a_database_that_is_a_file_has_a_folder(tmp_path: Path) -> None:
    assert database_folder(f"sqlite:///{tmp_path}/kahn.sqlite") == tmp_path
    assert database_folder("postgresql+psycopg://kahn@host/kahn") is None
