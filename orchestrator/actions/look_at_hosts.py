"""The fleet preflight: machines are asked beside the driver, what they said is written down in one transaction.

A look may take two minutes, where machines hang. Meanwhile its wave begins no batch; its other moves, and all other
waves, go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inventory.model import AssetId, TenantId
from orchestrator.actions.desk import Outside
from orchestrator.actions.record import write_down
from orchestrator.core.fleet import Finding, Post, findings, looked, posts_of
from orchestrator.core.surroundings import ALL_WELL, LOOKING, Looked
from orchestrator.core.wave import WaveContent
from orchestrator.ports import WaveRow
from orchestrator.run_ports import HostLook

MOST_WRITTEN = 200
"""Findings in one entry of the journal, at most; all of them count."""


def ask_hosts(
    outside: Outside, content: WaveContent, assets: Sequence[AssetId]
) -> tuple[tuple[Post, ...], tuple[Finding, ...]]:
    """The machines that these assets need, and what speaks against them; nothing where nobody can look."""
    posts = posts_of(content, assets) if outside.hosts is not None else ()
    if not posts or outside.hosts is None:
        return (), ()
    return posts, findings(posts, outside.hosts([post.door for post in posts]).wait())


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnderWay:
    batch: str
    posts: tuple[Post, ...]
    look: HostLook


class Lookout:
    """Looks at machines that are under way, one for a wave, and what the last one found.

    It is the driver's own memory: whoever drives after its death looks again, and nothing is lost or done twice.
    """

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._under_way: dict[tuple[TenantId, str], _UnderWay] = {}
        self._found: dict[tuple[TenantId, str], Looked] = {}

    def begin(self, wave: WaveRow, *, batch: str, assets: Sequence[AssetId]) -> None:
        """Begin to look at what these assets need; the wave is told that it is under way, or what came of it."""
        key = (wave.tenant, wave.key)
        posts = posts_of(wave.content, assets) if self._outside.hosts is not None else ()
        if not posts or self._outside.hosts is None:
            self._found[key] = ALL_WELL
        elif key not in self._under_way:
            look = self._outside.hosts([post.door for post in posts])
            self._under_way[key] = _UnderWay(batch=batch, posts=posts, look=look)
            self.collect(wave)

    def collect(self, wave: WaveRow) -> None:
        """If its look is over: write down what speaks against a machine, and keep what it means for the batch."""
        key = (wave.tenant, wave.key)
        one = self._under_way.get(key)
        answers = one.look.answers() if one else None
        if one is None or answers is None:
            return
        found = findings(one.posts, answers)
        with self._outside.desk() as desk:
            write_down(desk, desk.books.waves.get(*key), "hosts.looked", _entry(one, found))
        del self._under_way[key]
        self._found[key] = looked(wave.content, one.posts, found)

    def seen(self, wave: WaveRow) -> Looked | None:
        """What was seen, for the next answer of the rules and no longer; None when nobody looked."""
        if self._outside.hosts is None:
            return ALL_WELL
        key = (wave.tenant, wave.key)
        return LOOKING if key in self._under_way else self._found.pop(key, None)

    def forget(self, wave: WaveRow) -> None:
        """The wave is over: nobody wants the answers."""
        one = self._under_way.pop((wave.tenant, wave.key), None)
        if one:
            one.look.drop()

    def leave(self) -> None:
        """The driver goes: no further machine is asked."""
        for one in self._under_way.values():
            one.look.drop()
        self._under_way.clear()


def _entry(one: _UnderWay, found: Sequence[Finding]) -> dict[str, object]:
    return {
        "batch": one.batch,
        "machines": len(one.posts),
        "findings": [
            {"machine": each.post.machine, "cause": each.cause, "says": each.says.text} for each in found[:MOST_WRITTEN]
        ],
    }
