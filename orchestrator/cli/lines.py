"""Journal entries as lines for people: one fact, one line, the same in ``wave run``, ``wave watch`` and logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from inventory.model import AssetId
from orchestrator.core.lifecycle import ARRIVED, MOVE_GROUPS, MoveState, WaveState
from orchestrator.core.occurrence import Occurrence, OccurrenceState
from orchestrator.core.runbook import Direction
from orchestrator.ports import SealedEntry
from orchestrator.spoken import cause_says, likeness_words, one_line, state_word, wave_word
from orchestrator.texts import _

Names = Mapping[AssetId, str]
Body = Mapping[str, Any]


def clock(moment: datetime, zone: str = "") -> str:
    """The time of day on the wall of ``zone``; without one, UTC and marked so."""
    if not zone:
        return f"{moment.astimezone(UTC):%H:%M:%S}Z"
    try:
        return f"{moment.astimezone(ZoneInfo(zone)):%H:%M:%S}"
    except (ZoneInfoNotFoundError, ValueError):
        return f"{moment.astimezone(UTC):%H:%M:%S}Z"


def start_line(start: Occurrence) -> str:
    """When the wave starts, on the wall and in UTC, and who has claimed that."""
    words = {
        OccurrenceState.DUE: _("due"),
        OccurrenceState.CLAIMED: _("claimed (driver epoch {epoch})").format(epoch=start.epoch),
        OccurrenceState.DONE: _("done"),
        OccurrenceState.MISSED: _("missed"),
        OccurrenceState.DROPPED: _("dropped"),
    }
    return _("start {local} {zone} ({utc} UTC): {state}").format(
        local=start.local, zone=one_line(start.zone), utc=f"{start.starts:%Y-%m-%d %H:%M}", state=words[start.state]
    )


def entry_line(sealed: SealedEntry, names: Names, *, zone: str = "") -> str | None:
    """The entry as one line with its time, or None when it tells people nothing new. ``names``: asset id to name."""
    tell = _TELL.get(sealed.entry.kind)
    try:
        text = tell(sealed.entry.body, names) if tell else None
    except (KeyError, TypeError, ValueError):
        text = _("{kind}: an entry that this version cannot read").format(kind=sealed.entry.kind)
    if not text:
        return None
    reason = sealed.entry.texts.get("reason", "") if sealed.entry.kind == "act" else ""
    why = f" ({one_line(reason, longest=120)})" if reason else ""
    return f"{clock(sealed.at, zone)} {one_line(text)}{why}"


def _name(names: Names, asset: str) -> str:
    return names.get(AssetId(asset), asset)


def _content(body: Body, _names: Names) -> str:
    return _("revision {revision}, fingerprint {fingerprint}").format(
        revision=body["revision"], fingerprint=str(body["fingerprint"])[:12]
    )


def _wave(body: Body, _names: Names) -> str:
    text = _("WAVE {before} -> {after}").format(
        before=wave_word(WaveState(body["from"])), after=wave_word(WaveState(body["to"]))
    )
    return f"{text}: {cause_says(body['cause'])}" if body["cause"] else text


def _act(body: Body, names: Names) -> str:
    words = {
        "propose": _("{person} signs: proposed"),
        "approve": _("{person} signs: approved"),
        "refuse": _("{person} signs: refused"),
        "withdraw": _("{person} signs: withdrawn"),
        "pause": _("{person} signs: pause"),
        "resume": _("{person} signs: go on"),
        "abort": _("{person} signs: break off"),
        "close": _("{person} signs: end, with what is left behind"),
        "hold": _("{person} signs: hold"),
        "skip": _("{person} signs: leave out"),
        "retry": _("{person} signs: try again"),
        "probe": _("{person} signs: ask the machine again"),
        "roll_back": _("{person} signs: roll back"),
        "lead": _("{person} signs: lead"),
        "declare_done": _("{person} declares: the step is done"),
        "declare_not_done": _("{person} declares: the step was not done"),
        "declare_undone": _("{person} declares: everything was taken back by hand"),
        "did": _("{person} signs: done by hand"),
        "did_not": _("{person} signs: could not be done by hand"),
        "erased": _("{person} signs: old machine erased"),
    }
    text = words[body["kind"]].format(person=body["by"])
    return text + (": " + ", ".join(_name(names, one) for one in body["assets"]) if body["assets"] else "")


def _batch(body: Body, _names: Names) -> str:
    return _("batch {batch} begins: {count} assets").format(batch=body["batch"], count=len(body["assets"]))


def _looked(body: Body, _names: Names) -> str:
    found = [f"{one_line(one['machine'])}: {one_line(one['says'])}" for one in body["findings"]]
    text = _("looked at {count} machines before {batch}").format(count=body["machines"], batch=body["batch"])
    return f"{text}: {'; '.join(found)}" if found else f"{text}: {_('nothing speaks against them')}"


def _gate(body: Body, _names: Names) -> str:
    word = _("OK") if body["verdict"] == "ok" else _("RED")
    return _(
        "GATE {batch} {word}: not moved {bad} of {size}, allowed {allowed}; wave: {wave_bad} of {wave_size}, "
        "allowed {wave_allowed}"
    ).format(word=word, **{name: body[name] for name in _GATE_FACTS})


_GATE_FACTS = ("batch", "bad", "size", "allowed", "wave_bad", "wave_size", "wave_allowed")


def run_words(direction: str, step: str) -> str:
    """What a run is for, in words."""
    words = {
        Direction.DO: step,
        Direction.UNDO: _("undo {step}").format(step=step),
        Direction.PROBE: _("probe {step}").format(step=step),
        Direction.BASELINE: _("fingerprint from before"),
        Direction.COMPARE: _("comparison with before"),
        Direction.AFTER: _("comparison of before and after"),
        Direction.SERVICE: _("service check"),
    }
    return words[Direction(direction)]


def _run(body: Body, _names: Names) -> str:
    words = run_words(body["direction"], body["step"])
    text = _("{batch} {words} on {count} assets").format(batch=body["batch"], words=words, count=len(body["attempts"]))
    return (
        _("{what}: waits for a person, see kahn status --needs-me").format(what=text) if body.get("at_desk") else text
    )


def _run_end(body: Body, _names: Names) -> str | None:
    if body["how"] == "lost":
        return _("a run was LOST: nobody saw its end; what it did is read from its record")
    return _("a run never started; it cannot start any more") if body["how"] == "never_started" else None


def _attempt(body: Body, names: Names) -> str:
    outcome, words = str(body["outcome"]), run_words(body["direction"], body["step"])
    endings = {
        "done": _("ok"),
        "failed": _("FAILED"),
        "not_started": _("not started"),
        "unknown": _("UNKNOWN"),
        "started": _("in the hands of the other tool"),
        "waits": _("waits"),
    }
    text = f"{_name(names, body['asset'])} {words} {endings.get(outcome, outcome)}"
    if outcome == "done":
        return text + _answer(body)
    message = body["evidence"].get("msg") if isinstance(body["evidence"], Mapping) else ""
    told = f" ({one_line(message, longest=120)})" if message else ""
    return f"{text}: {cause_says(body['cause'])}{told}"


def _answer(body: Body) -> str:
    """What a probe answered, or whether a comparison came out equal."""
    kahn = body["evidence"].get("kahn", {}) if isinstance(body["evidence"], Mapping) else {}
    if not isinstance(kahn, Mapping):
        return ""
    if body["direction"] == Direction.PROBE:
        answers = {"done": _("done"), "not_done": _("not done"), "partial": _("partly done")}
        return ": " + answers.get(str(kahn.get("answer")), _("cannot tell"))
    if body["direction"] == Direction.COMPARE:
        same = bool(kahn.get("baseline")) and kahn.get("baseline") == kahn.get("now")
        return ": " + (_("as before") if same else _("NOT as before"))
    return ""


def _move(body: Body, names: Names) -> str | None:
    to = MoveState(body["to"])
    if to in MOVE_GROUPS["in motion"] and to is not MoveState.ROLLING_BACK:
        return None
    text = f"{_name(names, body['asset'])} -> {state_word(to)}"
    return f"{text}: {cause_says(body['cause'])}" if body["cause"] and to not in ARRIVED else text


def _delivered(body: Body, _names: Names) -> str:
    return _("notice {notice} reached {contact} ({channel})").format(
        notice=body["notice"], contact=body["contact"], channel=body["channel"]
    )


def _acknowledged(body: Body, _names: Names) -> str:
    return _("notice {notice} was acknowledged").format(notice=body["notice"])


def _alarm(body: Body, names: Names) -> str:
    words = {
        "not_starting": _("it does not start"),
        "last_moment": _("the last moment to decide is near"),
        "outage": _("out of service almost as long as allowed"),
    }
    text = f"{_('ALARM')}: {words[body['alarm']]}"
    return f"{text}: {_name(names, body['asset'])}" if body.get("asset") else text


def _declared(body: Body, names: Names) -> str:
    assets = ", ".join(_name(names, one) for one in body["assets"])
    return _("believed, signed by {people}: {assets}").format(people=body["by"], assets=assets)


def _compared(body: Body, names: Names) -> str:
    return f"{_name(names, body['asset'])}: {likeness_words(body['counts'], body['serious'])}"


def _lead(body: Body, _names: Names) -> str:
    return _("{person} leads the wave").format(person=body["lead"])


_TELL: Mapping[str, Callable[[Body, Names], str | None]] = {
    "wave.content": _content,
    "wave.state": _wave,
    "act": _act,
    "batch.begun": _batch,
    "batch.gated": _gate,
    "hosts.looked": _looked,
    "run.intended": _run,
    "run.ended": _run_end,
    "attempt.ended": _attempt,
    "move.state": _move,
    "notice.delivered": _delivered,
    "notice.acknowledged": _acknowledged,
    "wave.alarm": _alarm,
    "move.compared": _compared,
    "move.declared": _declared,
    "wave.lead": _lead,
}
