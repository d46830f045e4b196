"""``kahn wave show W --evidence A``: all that is known about one asset, for whoever must decide."""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from orchestrator.actions.look_around import surroundings
from orchestrator.actions.record import progress_in, subject_of
from orchestrator.actions.take_back import asset_named
from orchestrator.cli.context import Context
from orchestrator.cli.lines import clock, entry_line, run_words
from orchestrator.cli.wave_soak import asked_words
from orchestrator.core.decisions import in_zone
from orchestrator.core.evidence import Evidence, Seen, StepLine, evidence_of
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.lifecycle_parts import StepState
from orchestrator.core.progress import Fact
from orchestrator.core.runbook import Direction, Effect
from orchestrator.core.wave import WaveContent
from orchestrator.ports import SealedEntry
from orchestrator.spoken import cause_says, likeness_words, one_line, spoken, state_word
from orchestrator.texts import _

DIFFERENCES = 10
"""So many differences from before are listed."""


def show_evidence(kahn: Context, wave: str, name: str) -> None:
    """Print the page. Raises UnknownWave, UnknownAsset."""
    with kahn.world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        entries = desk.books.journal.read(kahn.tenant, subject=subject_of(row))
        progress = progress_in(desk.books, row)
        around = surroundings(desk, row)
    facts = [Fact(at=one.at, kind=one.entry.kind, body=one.entry.body) for one in entries]
    page = evidence_of(row.content, progress, facts, asset_named(row.content, name), around=around)
    for line in _lines(row.content, page):
        kahn.out.line(line)
    signed = _signed(row.content, page, entries)
    if signed:
        kahn.out.line("\n" + _("WHAT PEOPLE SIGNED"))
    for line in signed:
        kahn.out.line(f"  {line}")
    kahn.out.json(page)


def _lines(content: WaveContent, page: Evidence) -> list[str]:
    zone = content.window.zone
    head = _("{name}: {state}, users: {users}").format(
        name=one_line(page.name), state=state_word(page.state), users=page.users
    )
    since = f" {_('since {time}').format(time=clock(page.since, zone))}" if page.since else ""
    lines = [head + since, *(f"  {role:<8} {one_line(machine)}" for role, machine in page.machines.items())]
    if page.cause:
        lines.append(_("cause: {cause}").format(cause=cause_says(page.cause.code)))
    lines += ["", _("STEPS"), *(_step(one, page) for one in page.steps)]
    lines += ["", _("WHAT WAS SEEN"), *(line for one in page.seen for line in _seen(one, zone))]
    if page.likeness is not None:
        lines.append(f"  {likeness_words(page.likeness.counts, page.likeness.serious)}")
        lines.append(f"      kahn wave compare {content.key} -- {one_line(quote(page.name))}")
    lines += [f"  {asked_words(page.asked_old, zone)}"] if page.asked_old is not None else []
    reached = _("reached") if page.no_return_reached else _("not reached")
    lines += ["", _("point of no return: {reached}").format(reached=reached)]
    lines.append(_("fingerprint from before: {digest}").format(digest=page.baseline[:16] or _("none was taken")))
    lines.append(_("a rollback would undo: {steps}").format(steps=", ".join(page.would_undo) or "-"))
    if page.leans_on_it:
        lines.append(_("stands with it: {names}").format(names=", ".join(map(one_line, page.leans_on_it))))
    lines.append(_("IF NOBODY ACTS: {outlook}").format(outlook=spoken(in_zone(page.if_nobody_acts, content))))
    return [*lines, *what_can_be_done(content, page)]


def _signed(content: WaveContent, page: Evidence, entries: Iterable[SealedEntry]) -> list[str]:
    """Acts about this asset, each with the reason that was given; those about the whole wave stand in its log."""
    acts = (one for one in entries if one.entry.kind == "act" and page.asset in one.entry.body["assets"])
    names = {move.asset: move.name for move in content.moves}
    return [line for one in acts if (line := entry_line(one, names, zone=content.window.zone))]


def _step(line: StepLine, page: Evidence) -> str:
    words = {
        StepState.WAITING: _("not begun"),
        StepState.BEGUN: _("BEGUN, NOT FINISHED"),
        StepState.DONE: _("done"),
    }
    undone = any(
        one.step == line.name and one.direction is Direction.UNDO and one.outcome == "done" for one in page.seen
    )
    word = _("taken back") if undone and line.state is StepState.WAITING else words[line.state]
    once = f"  {_('happens only once')}" if line.effect is Effect.ONCE else ""
    mark = f"  {_('POINT OF NO RETURN')}" if line.no_return else ""
    return f"  {line.name:<24} {word}{once}{mark}"


def _seen(one: Seen, zone: str) -> list[str]:
    words = {"done": _("ok"), "": _("begun, no end seen"), "failed": _("FAILED"), "unknown": _("UNKNOWN")}
    words["started"] = _("in the hands of the other tool")
    outcome = words.get(one.outcome, _("not started"))
    if one.direction is Direction.PROBE and one.outcome == "done":
        answers = {"done": _("done"), "not_done": _("not done"), "partial": _("partly done")}
        answers |= {"running": _("in the hands of the other tool"), "failed": _("FAILED")}
        outcome = answers.get(one.answer, _("cannot tell"))
    if one.direction is Direction.AFTER and one.outcome == "done":
        outcome = _("looked at")  # whether it is well is what the comparison says
    cause = f": {cause_says(one.cause.code)}" if one.cause else ""
    told = f" ({one_line(one.message, longest=160)})" if one.message else ""
    way = f" ({_('at its second address')})" if one.second_way else ""
    if one.as_before is not None:
        outcome = _("as before") if one.as_before else _("DIFFERS FROM BEFORE")
    line = f"  {clock(one.at, zone)} {run_words(one.direction, one.step)}{way}: {outcome}{cause}{told}"
    shown = [f"      {one_line(difference, longest=160)}" for difference in one.differences[:DIFFERENCES]]
    more = len(one.differences) - DIFFERENCES
    return [line, *shown, *([f"      {_('... and {count} more').format(count=more)}"] if more > 0 else [])]


def what_can_be_done(content: WaveContent, page: Evidence) -> list[str]:
    """Commands that the state allows."""
    wave, name = content.key, f"-- {one_line(quote(page.name))}"
    ask = [f"  kahn wave probe {wave} --reason REASON {name}"] if page.askable else []
    if page.state is MoveState.UNKNOWN and ask:
        return ["", _("WHAT CAN BE DONE"), *ask]
    if page.state is MoveState.NEEDS_PERSON:
        people = _("signatures needed: {count}").format(count=page.signatures)
        return [
            "",
            _("WHAT CAN BE DONE"),
            *ask,
            f"  kahn wave repaired {wave} --step done --reason REASON {name}   ({people})",
            f"  kahn wave repaired {wave} --step not-done --reason REASON {name}   ({people})",
            f"  kahn wave repaired {wave} --undone --reason REASON {name}",
            f"  kahn wave rollback {wave} --preview {name}",
        ]
    if page.left_behind:
        return ["", _("WHAT CAN BE DONE"), "  kahn plan propose"]
    if page.state is MoveState.HELD:
        return ["", _("WHAT CAN BE DONE"), f"  kahn wave retry {wave} --reason REASON {name}"]
    return []
