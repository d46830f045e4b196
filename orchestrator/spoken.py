"""Values of the core in the chosen language: sentences, states, times. Text from outside comes out harmless."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from babel.dates import format_datetime, format_timedelta

from orchestrator.core.causes import cause_of
from orchestrator.core.explain import Sentence
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.likeness import Verdict
from orchestrator.core.places import Place
from orchestrator.texts import _

LONGEST = 300


def visible(text: str) -> str:
    """The text with control and direction-changing characters shown as escapes, never obeyed; line ends stay."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)


def one_line(text: object, *, longest: int = LONGEST) -> str:
    """Text from outside as one harmless line of bounded length."""
    shown = visible(" ".join(str(text)[: 4 * longest].split()))
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def language() -> str:
    """The code of the chosen language."""
    return _("en")


def spoken(sentence: Sentence) -> str:
    """The sentence in the chosen language, with its facts filled in."""
    return _(sentence.says).format(**{name: _fact(fact) for name, fact in sentence.facts.items()})


def _fact(fact: object) -> object:
    if isinstance(fact, Sentence):
        return spoken(fact)
    if isinstance(fact, datetime):
        return moment(fact)
    return one_line(fact) if isinstance(fact, str) else fact


def joined(clauses: tuple[Sentence, ...]) -> str:
    """The clauses as one sentence."""
    return capitalised("; ".join(spoken(clause) for clause in clauses)) + "."


def capitalised(text: str) -> str:
    """The text with a capital first letter, else unchanged."""
    return text[:1].upper() + text[1:]


def cause_says(code: str) -> str:
    """The cause of that code in words, on one line."""
    return one_line(spoken(Sentence(says=cause_of(code).says)))


# --------------------------------------------------------------------------- times


def moment(when: datetime) -> str:
    """Day and time as the clock on the wall of its zone shows it."""
    return _formatted(when, _("EEE d MMM y, HH:mm"))


def span(opens: datetime, closes: datetime) -> str:
    """A window: its day, and from when to when; the second day only when it is more than one night away."""
    near = (closes.date() - opens.date()).days <= 1
    return f"{moment(opens)}–{_formatted(closes, 'HH:mm') if near else moment(closes)}"


def age(since: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    return str(format_timedelta(max(now - since, now - now), locale=language(), threshold=1.2))


def _formatted(when: datetime, pattern: str) -> str:
    return str(format_datetime(when, pattern, tzinfo=when.tzinfo, locale=language()))


# --------------------------------------------------------------------------- states


def wave_word(state: WaveState) -> str:
    """The state of a wave for people."""
    return _(state.value).replace("_", " ")


def state_word(state: MoveState) -> str:
    """The state of a move for people; what was proven is called so, and what nobody saw is said loudly."""
    if state is MoveState.ROLLED_BACK:
        return _("rolled back, proven")
    if state is MoveState.NEEDS_PERSON:
        return _("needs a person").upper()
    word = _(state.value).replace("_", " ")
    return word.upper() if state in (MoveState.UNKNOWN, MoveState.FAILED) else word


def likeness_words(counts: Mapping[str, int], serious: int) -> str:
    """How before and after compare, in one line."""
    words = {
        Verdict.UNSEEN: _("not seen {count}"),
        Verdict.MISSING: _("missing {count}"),
        Verdict.CHANGED: _("changed {count}"),
        Verdict.NEW: _("new {count}"),
        Verdict.TOLERATED: _("tolerated {count}"),
        Verdict.EXPECTED: _("expected {count}"),
        Verdict.SAME: _("same {count}"),
    }
    told = ", ".join(text.format(count=counts.get(one, 0)) for one, text in words.items() if counts.get(one, 0))
    head = _("LESS THAN BEFORE ({count})").format(count=serious) if serious else _("nothing is lost")
    return f"{_('before and after')}: {head}; {told or _('nothing to compare')}"


def place_word(place: Place) -> str:
    """The place of an asset for people."""
    words = {
        Place.MOVED: _("moved"),
        Place.RETIRED: _("retired"),
        Place.IN_MOTION: _("in motion"),
        Place.APPROVED: _("approved, waiting"),
        Place.PROPOSED: _("waiting for approval"),
        Place.HELD: _("held"),
        Place.ROLLED_BACK: _("rolled back"),
        Place.UNKNOWN: _("unknown"),
        Place.NEEDS_PERSON: _("needs a person"),
        Place.UNPLANNED: _("in no wave"),
        Place.STAYS: _("stays by decision"),
    }
    return words[place]
