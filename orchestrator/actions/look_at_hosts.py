"""The fleet preflight: machines are asked outside every transaction, what they said is written down in one."""

from __future__ import annotations

from collections.abc import Sequence

from inventory.model import AssetId
from orchestrator.actions.desk import Outside
from orchestrator.actions.record import write_down
from orchestrator.core.fleet import Finding, Post, findings, looked, posts_of
from orchestrator.core.surroundings import ALL_WELL, Looked
from orchestrator.core.wave import WaveContent
from orchestrator.ports import WaveRow

MOST_WRITTEN = 200
"""Findings in one entry of the journal, at most; all of them count."""


def ask_hosts(
    outside: Outside, content: WaveContent, assets: Sequence[AssetId]
) -> tuple[tuple[Post, ...], tuple[Finding, ...]]:
    """The machines that these assets need, and what speaks against them; nothing where nobody can look."""
    posts = posts_of(content, assets) if outside.hosts is not None else ()
    if not posts or outside.hosts is None:
        return (), ()
    return posts, findings(posts, outside.hosts([post.door for post in posts]))


def look_at_hosts(outside: Outside, wave: WaveRow, *, batch: str, assets: Sequence[AssetId]) -> Looked:
    """Ask, write down what speaks against a machine, and say what it means for the batch."""
    posts, found = ask_hosts(outside, wave.content, assets)
    if not posts:
        return ALL_WELL
    body = {
        "batch": batch,
        "machines": len(posts),
        "findings": [
            {"machine": one.post.machine, "cause": one.cause, "says": one.says.text} for one in found[:MOST_WRITTEN]
        ],
    }
    with outside.desk() as desk:
        write_down(desk, desk.books.waves.get(wave.tenant, wave.key), "hosts.looked", body)
    return looked(wave.content, posts, found)
