"""``kahn asset places``: what stands where."""

from __future__ import annotations

from orchestrator.cli.context import Context
from tests.orchestrator.cli.test_asset import called, document
from tests.orchestrator.cli.test_asset_impact import home

__all__ = ["home"]


def test_sites_buildings_and_rooms_are_listed_with_what_stands_there(home: Context) -> None:
    assert "Haus B" in called(home, "places").output
    assert document(home, "places", "kind:seat") == [
        {"site": "Rathaus", "building": "Haus B", "room": "1.12", "departments": ["Bau"], "kinds": {"seat": 1}}
    ]
    assert called(home, "places", "room:9.99").exit_code == 5
