"""Sessions are opened when first wanted, once, each with its own program, and all closed at the end."""

from __future__ import annotations

from pathlib import Path

from tests.playbooks.modules import shared
from tests.playbooks.procedures import Trio

crews = shared("kahn_crew")


def test_a_session_is_opened_once_and_closed_with_the_crew(tmp_path: Path) -> None:
    with Trio(tmp_path) as trio:
        with crews.Crew(trio.asked, roots=trio.roots) as crew:
            assert crew.source is crew.source and crew._talks.keys() == {"source"}
            crew.open_all()
            assert crew._talks.keys() == {"source", "target", "gateway"}
            assert "fenced" in crew.source.ask("look") and crew.gate.ask("look")["route"] == "old"
            programs = [one._program for one in crew._talks.values()]
        assert [one.poll() is None for one in programs] == [False, False, False]


def test_what_is_carried_and_what_comes_back_are_told_apart() -> None:
    asked = {"settings": {"data": ["/srv/a"], "programs": ["/opt/b", "/etc/c.conf"]}, "share": True}
    crew = crews.Crew(asked)
    assert (crew.tops, crew.both_ways, crew.is_share) == (["srv/a", "opt/b", "etc/c.conf"], ["srv/a"], True)
    assert not crews.Crew({**asked, "share": False}).is_share
