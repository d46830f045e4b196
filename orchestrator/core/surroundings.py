"""What surrounds a wave at a moment: facts of the outer world that the rules ask for, read anew before each step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Facts given to the rules with the time. The defaults say that nothing is the matter."""

    stopped: bool = False
    """Whether a person stopped all dispatch (`kahn stop --all`): nothing new is started anywhere."""


CALM = Surroundings()
