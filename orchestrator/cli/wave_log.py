"""``kahn wave show W --log ASSET[:STEP]``: every recorded line about one asset, as evidence."""

from __future__ import annotations

from inventory.model import name_key
from orchestrator.actions.take_back import UnknownAsset
from orchestrator.cli.context import Context, harmless
from orchestrator.run_ports import RunRow, SpoolLine
from orchestrator.texts import _


def show_log(kahn: Context, key: str, what: str) -> None:
    """Print the lines that the runs of this asset (and step) left. Raises UnknownAsset."""
    name, _colon, step = what.partition(":")
    with kahn.world.store.reading() as books:
        row = books.waves.get(kahn.tenant, key)
        asset = next((move.asset for move in row.content.moves if name_key(move.name) == name_key(name)), None)
        if asset is None:
            raise UnknownAsset(asset=name, wave=key)
        runs = [run for run in books.runs.of_wave(kahn.tenant, key) if any(a.asset == asset for a in run.attempts)]
        found = [(run, _lines(books.runs.events(run.id), str(asset))) for run in runs if step in ("", run.step)]
    if not found:
        known = ", ".join(dict.fromkeys(run.step for run in runs if run.step)) or _("none")
        kahn.out.line(
            _("Nothing is recorded of that; recorded steps of {asset}: {steps}.").format(asset=name, steps=known)
        )
    for run, lines in found:
        kahn.out.line(_heading(run))
        for line in lines:
            kahn.out.line(_text(line))
    kahn.out.json(
        [{"run": run.id, "step": run.step, "direction": run.direction, "lines": lines} for run, lines in found]
    )


def _lines(events: tuple[SpoolLine, ...], host: str) -> list[SpoolLine]:
    return [line for line in events if line.host == host]


def _heading(run: RunRow) -> str:
    what = " ".join(word for word in (run.batch, run.direction.value, run.step) if word)
    return _("run {run}: {what}, {state}").format(run=run.id, what=what, state=run.state)


def _text(line: SpoolLine) -> str:
    fields = " ".join(f"{name}={harmless(value)}" for name, value in line.fields.items() if value not in (None, "", {}))
    return f"  {line.seq:>4} {line.kind:<12} {fields}"
