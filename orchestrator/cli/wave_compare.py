"""``kahn wave compare W [ASSET]``: before and after, as the differences that were written down."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any

from rich.markup import escape
from rich.table import Table

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.actions.record import progress_in, subject_of
from orchestrator.actions.take_back import asset_named
from orchestrator.cli.context import Context
from orchestrator.core.likeness import SECTIONS, Verdict
from orchestrator.core.progress import MoveProgress
from orchestrator.core.wave import WaveContent
from orchestrator.ports import SealedEntry
from orchestrator.spoken import cause_says, likeness_words, one_line, state_word
from orchestrator.texts import _

Body = Mapping[str, Any]
QUIET = (Verdict.TOLERATED, Verdict.EXPECTED)
"""Verdicts that are only counted, unless all are asked for."""


class NothingCompared(ExpectedError):
    """A wave whose runbook compares nothing."""

    code, says = "RUN-060", "The runbook {runbook} of wave {wave} compares nothing before and after."
    remedy = "Let it: `compare_after` in its runbook.yml (docs/before-and-after.md), then propose the wave again."
    exit_code = 3


def show_comparison(kahn: Context, wave: str, name: str, *, every: bool) -> None:
    """Print it. Raises UnknownWave, UnknownAsset, NothingCompared."""
    with kahn.world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        found = _latest(desk.books.journal.read(kahn.tenant, subject=subject_of(row)))
        progress = progress_in(desk.books, row)
    if row.content.runbook.after is None:
        raise NothingCompared(runbook=row.content.runbook.name, wave=wave)
    if name:
        asset = asset_named(row.content, name)
        _one(kahn, row.content, progress.moves[asset], found.get(asset), every=every)
    else:
        for move in progress.moves.values():
            kahn.out.line(_summary(row.content, move, found.get(move.asset)))
    wanted = [asset_named(row.content, name)] if name else list(progress.moves)
    kahn.out.json({asset: found.get(asset) or _uncompared(progress.moves[asset]) for asset in wanted})


def _latest(entries: tuple[SealedEntry, ...]) -> dict[AssetId, Body]:
    """The latest comparison of each asset in the wave's present revision."""
    found: dict[AssetId, Body] = {}
    for one in entries:
        if one.entry.kind == "wave.content":
            found.clear()
        elif one.entry.kind == "move.compared":
            found[AssetId(one.entry.body["asset"])] = one.entry.body
    return found


def _uncompared(move: MoveProgress) -> Body:
    return {"asset": move.asset, "compared": False, "state": move.state, "cause": move.cause}


def _summary(content: WaveContent, move: MoveProgress, body: Body | None) -> str:
    name = one_line(content.move(move.asset).name)
    if body is None:
        why = f": {cause_says(move.cause)}" if move.cause else ""
        return f"{name}: {_('before and after')}: {_('not compared')} ({state_word(move.state)}{why})"
    accepted = f" ({_('a person signed that it may stay so')})" if move.accepted else ""
    return f"{name}: {likeness_words(body['counts'], body['serious'])}{accepted}"


def _one(kahn: Context, content: WaveContent, move: MoveProgress, body: Body | None, *, every: bool) -> None:
    kahn.out.line(_summary(content, move, body))
    if body is None:
        return
    shown = [one for one in body["differences"] if every or Verdict(one["verdict"]) not in QUIET]
    if shown:
        kahn.out.rich(_table(shown))
    counted = sum(body["counts"].get(verdict, 0) for verdict in Verdict if every or verdict not in QUIET)
    more = counted - body["counts"].get(Verdict.SAME, 0) - len(shown)
    if more > 0:
        kahn.out.line(_("... and {count} more").format(count=more))
    if not every and any(body["counts"].get(verdict, 0) for verdict in QUIET):
        name = one_line(quote(content.move(move.asset).name))
        kahn.out.line(_("Also what is expected or tolerated:") + f" kahn wave compare {content.key} --all -- {name}")


def _table(differences: list[Body]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in (_("verdict"), _("what"), _("entry"), _("before"), _("now")):
        table.add_column(column, overflow="fold")
    for one in differences:
        verdict = verdict_word(Verdict(one["verdict"]))
        told = (one["name"], one["before"] or "-", one["now"] or "-")
        words = (verdict.upper() if one["serious"] else verdict, section_word(one["section"]))
        table.add_row(*words, *(escape(one_line(text, longest=160)) for text in told))
    return table


def verdict_word(verdict: Verdict) -> str:
    """A verdict for people."""
    words = {
        Verdict.UNSEEN: _("not seen"),
        Verdict.MISSING: _("missing"),
        Verdict.CHANGED: _("changed"),
        Verdict.NEW: _("new"),
        Verdict.TOLERATED: _("tolerated"),
        Verdict.EXPECTED: _("expected"),
        Verdict.SAME: _("same"),
    }
    return words[verdict]


def section_word(section: str) -> str:
    """A section of a portrait for people."""
    words = dict(
        zip(
            SECTIONS,
            (
                _("port"),
                _("service"),
                _("certificate"),
                _("share"),
                _("printer"),
                _("job"),
                _("file system"),
                _("domain"),
                _("rows"),
                _("answer"),
            ),
            strict=True,
        )
    )
    return words.get(section, one_line(section))
