"""People in the simulated world: what they do about a wave that rests, and what they do at a bad moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.actions.control_wave import change_course, wish
from orchestrator.actions.record import wave_at
from orchestrator.actions.sign import Intent, Keyboard
from orchestrator.actions.stop_all import lift_stop, stop_all
from orchestrator.actions.take_back import ask_rollback
from orchestrator.core.control import UNDER_WAY
from orchestrator.core.lifecycle import WAVE_GROUPS, MoveState, WaveState
from orchestrator.core.wave import ActKind
from orchestrator.ports import MoveRow, WaveRow
from tests.simulation.faults import OPERATOR
from tests.simulation.unreliable import Killed
from tests.towns import STADT

if TYPE_CHECKING:
    from tests.simulation.play import World

SECOND = 1_000_000
GOING = (WaveState.RUNNING, WaveState.SOAKING)
STANDS = (WaveState.PAUSED, WaveState.HELD, WaveState.NEEDS_PERSON)
FITS_STATE = {
    "P-pause": GOING,
    "P-resume": STANDS,
    "P-abort": (*GOING, *STANDS),
    "P-hold": UNDER_WAY,
    "P-skip": UNDER_WAY,
    "P-retry": UNDER_WAY,
    "P-probe": UNDER_WAY,
}
FITS_ASSET = {
    "P-hold": (MoveState.PLANNED, MoveState.RUNNING, MoveState.HELD),
    "P-skip": (MoveState.PLANNED, MoveState.RUNNING, MoveState.HELD),
    "P-retry": (MoveState.HELD,),
    "P-probe": (MoveState.UNKNOWN, MoveState.NEEDS_PERSON),
}
KINDS = {
    "P-pause": ActKind.PAUSE,
    "P-resume": ActKind.RESUME,
    "P-abort": ActKind.ABORT,
    "P-hold": ActKind.HOLD,
    "P-skip": ActKind.SKIP,
    "P-retry": ActKind.RETRY,
    "P-probe": ActKind.PROBE,
}


@dataclass
class People:
    """The engineer and the approver. They use the store as the driver does: with all that can go wrong."""

    world: World
    acts: int = 0
    turns: int = 0
    due: list[tuple[int, str]] = field(default_factory=list)
    """What somebody will do later: virtual microseconds, and resume or lift."""

    # ------------------------------------------------------------------ at a bad moment

    def meddle(self, where: str) -> None:
        """Between two wake-ups of the driver, or between an intent and its start: somebody may do something."""
        dice = self.world.dice
        thrown = dice.throw("operator")
        if not thrown:
            return
        fits = self._fitting()
        if not fits:
            return
        number = dice._passed["operator"]
        seldom = [kind for kind in ("P-probe", "P-resume") if kind in fits]
        other = seldom[0] if seldom else fits[int(dice.chance("operator", number, "else") * len(fits))]
        kind = thrown if thrown in fits else other
        if self._does(kind):
            self.world.say(f"fault {dice.hit('operator', kind)} {kind} {where}")

    def _fitting(self) -> list[str]:
        """What can be done to the wave as it stands, by its state and the states of its assets."""
        wave, moves = self._look()
        states = {move.state for move in moves}
        late = len(self.world.dice.played) * 3 > self.world.dice.most
        stopped = bool(self.world.store.rows.stops)
        found = [
            kind
            for kind, wanted in FITS_STATE.items()
            if wave.state in wanted and (kind not in FITS_ASSET or states & {*FITS_ASSET[kind]})
        ]
        if not late and "P-abort" in found:
            found.remove("P-abort")
        under_way = wave.state not in WAVE_GROUPS["at rest"]
        found += ["P-lift"] if stopped else ["P-stop"] if under_way else []
        return [kind for kind in OPERATOR if kind in found]

    def _does(self, kind: str) -> bool:
        """Whether it was written down."""
        chance, number = self.world.dice.between, len(self.world.dice.played)
        if kind == "P-stop":
            done = self._try(lambda desk: stop_all(desk, by="anna", reason="smoke"))
            self.due += [(self._in(chance(5, 900, "lift", number)), "lift")] if done else []
            return done
        if kind == "P-lift":
            return self._lift()
        intent = Intent(kind=KINDS[kind], reason="at a bad moment", assets=self._assets(kind))
        act = wish if kind in FITS_ASSET else change_course
        done = self.act(act, intent)
        if kind == "P-resume" and done:
            self.act(act, intent)
        if kind == "P-pause" and done:
            self.due.append((self._in(chance(5, 1800, "resume", number)), "resume"))
        return done

    def _in(self, seconds: float) -> int:
        return self.world.clock.mono_us + int(seconds * SECOND)

    def _assets(self, kind: str) -> tuple[AssetId, ...]:
        """An asset whose state allows it, with all that moves together with it."""
        if kind not in FITS_ASSET:
            return ()
        wave, moves = self._look()
        fit = [move.asset for move in moves if move.state in FITS_ASSET[kind]]
        one = fit[int(self.world.dice.chance("asset", len(self.world.dice.played)) * len(fit))]
        return (one,) if kind == "P-probe" else tuple(wave.content.group_of(one))

    def keep_promises(self) -> None:
        """Whoever paused lets it go on in the end, and whoever stopped everything lifts the stop."""
        now = self.world.clock.mono_us
        self._notice_what_stands()
        waiting, self.due = self.due, []
        for at, what in waiting:
            if at > now:
                self.due.append((at, what))
            elif what == "lift":
                if self.world.store.rows.stops and not self._lift():
                    self.due.append((self._in(2), what))
            elif self._look()[0].state is WaveState.PAUSED and not self.act(change_course, GO_ON):
                self.due.append((self._in(2), what))

    def _notice_what_stands(self) -> None:
        """Somebody also sees what was written although whoever wrote it heard of an error."""
        promised = {what for _at, what in self.due}
        if self.world.store.rows.stops and "lift" not in promised:
            self.due.append((self._in(600), "lift"))
        if "resume" not in promised and self._look()[0].state is WaveState.PAUSED:
            self.due.append((self._in(600), "resume"))

    def _lift(self) -> bool:
        keyboard = Keyboard(person="bert", key_file=Path("/nowhere/bert"))
        return self._try(lambda desk: lift_stop(desk, keyboard=keyboard, reason="no smoke"))

    # ------------------------------------------------------------------ about a wave that rests

    def about_rest(self) -> bool:
        """What a person does about a wave that rests; only a few times. Whether they did anything."""
        self.acts += 1
        if self.acts > 16:
            return False
        dice = self.world.dice
        with self.world.store.reading() as books:
            wave, progress = wave_at(books, STADT, "W01")
        open_still = self.world.clock.now() < wave.content.window.closes
        eager = len(dice.played) < dice.most
        wishes: list[Callable[[], bool]] = []
        stands = (WaveState.HELD, WaveState.NEEDS_PERSON)
        if wave.state in stands and open_still and (eager or self.acts < 6):
            wishes.append(lambda: self.act(change_course, GO_ON) or self.acts < 16)
        if wave.state in (*stands, WaveState.CLOSED) and self.acts > (12 if eager and open_still else 1):
            stuck = tuple(asset for asset, move in progress.moves.items() if move.state is MoveState.NEEDS_PERSON)
            intent = Intent(kind=ActKind.ROLL_BACK, reason="asked", assets=stuck)
            wishes.append(lambda: self.act(ask_rollback, intent) or self.acts < 16)
        return bool(wishes) and wishes[int(dice.chance("person", self.acts) * len(wishes))]()

    # ------------------------------------------------------------------ rollback in mid-wave

    def may_roll_back(self) -> bool:
        """Late in the night, while the wave runs and something has moved."""
        wave, moves = self._look()
        late = len(self.world.dice.played) * 2 > self.world.dice.most
        return late and wave.state is WaveState.RUNNING and any(move.state is MoveState.MOVED for move in moves)

    def roll_one_back(self) -> None:
        """Ask for the first asset that moved."""
        moved = [move.asset for move in self._look()[1] if move.state is MoveState.MOVED]
        self.act(ask_rollback, Intent(kind=ActKind.ROLL_BACK, reason="asked", assets=tuple(moved[:1])))

    # ------------------------------------------------------------------ how they act

    def act(self, act: Callable[..., Any], intent: Intent) -> bool:
        """Two people take turns, so that what two must sign is signed by two. Whether it was written down."""
        self.turns += 1
        name = "anna" if self.turns % 2 else "bert"
        keyboard = Keyboard(person=name, key_file=Path(f"/nowhere/{name}"))
        return self._try(lambda desk: act(desk, desk.books.waves.get(STADT, "W01"), keyboard=keyboard, intent=intent))

    def _try(self, act: Callable[[Any], object]) -> bool:
        try:
            with self.world.outside().desk() as desk:
                act(desk)
        except (ExpectedError, MemoryError, Killed) as error:
            self.world.say(f"person hears {getattr(error, 'code', type(error).__name__)}")
            return False
        return True

    def _look(self) -> tuple[WaveRow, tuple[MoveRow, ...]]:
        with self.world.store.reading() as books:
            return books.waves.get(STADT, "W01"), tuple(books.waves.moves(STADT, "W01"))


GO_ON = Intent(kind=ActKind.RESUME, reason="go on")
