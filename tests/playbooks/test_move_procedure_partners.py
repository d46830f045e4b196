"""move-procedure with a machine of another procedure that leads to the old server: through a wave, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.playbooks.moving_procedures import Wish, a_town
from tests.scenarios.story import ENGINEER

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
# The vault has no role in this runbook: here it is the cash desk.
MORE = """
[[procedure.points_here]]
machine = "vault"
files = ["/etc/kasse.conf"]
reload = ["sh", "-c", "echo read >>/var/log/kasse"]
"""


def test_another_procedures_machine_follows_the_switch_and_its_way_back(lab: Lab, tmp_path: Path) -> None:
    town = a_town(tmp_path / "story", lab, tenant="partner", wish=Wish(rows=40, documents=5, more=MORE))
    old, new, desk = town.host("alt-1"), town.host("rz-1"), town.host("vault")
    file = desk.root / "etc/kasse.conf"
    file.write_text(f"url=http://{old.address}:8080/\nother={old.address}9\n")
    before = file.read_bytes(), file.stat().st_mtime_ns
    forward = town.story.tried("wave", "run", "W01")
    assert town.story.states() == {"alt-1": ("moved", "")}, forward
    assert file.read_text() == f"url=http://{new.address}:8080/\nother={old.address}9\n"
    back = town.story.tried("wave", "rollback", "W01", "--yes", "--reason", "Probe", person=ENGINEER)
    assert town.story.states() == {"alt-1": ("rolled_back", "asked")}, back
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_a_file_that_does_not_name_the_old_server_ends_the_move_before_it_begins(lab: Lab, tmp_path: Path) -> None:
    town = a_town(tmp_path / "story", lab, tenant="partner2", wish=Wish(rows=40, documents=5, more=MORE))
    (town.host("vault").root / "etc/kasse.conf").write_text("url=http://wohngeld/\n")
    forward = town.story.tried("wave", "run", "W01")
    ((state, cause),) = town.story.states().values()
    assert cause == "switch_differs", (state, forward)
    assert not (town.host("rz-1").root / "srv/wohngeld").exists()
