"""The ground of a trial: machines that play one asset's way, how they are reached, and how they look from outside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

from orchestrator.core.access import AccessProfile
from orchestrator.core.runbook import Runbook
from orchestrator.core.trial import Ground
from orchestrator.core.wave import WaveMove
from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from orchestrator.lab.picture import Picture
from orchestrator.lab.seats import machine_of, move_of, seat_profile
from orchestrator.lab.stage import Stage

TENANT = "trial"


class Worker(Protocol):
    """The machine that another tool works on: it can be switched on, and lose its power in the midst of the work."""

    def switch_on(self) -> None:
        """It starts, and does what was ordered for it; without effect while it is on."""

    def switch_off(self) -> None:
        """Its plug is pulled; without effect while it is off."""

    def in_midst(self) -> bool:
        """Whether the work on it has begun and is not over."""


class TrialGround(Protocol):
    """What a runbook is tried on."""

    @property
    def kind(self) -> Ground: ...
    @property
    def worker(self) -> Worker | None:
        """What an external step works on; None where there is no tool."""

    @property
    def stays(self) -> Mapping[str, str]:
        """``host: what`` that a worker's work leaves there by nature -> the same in words."""

    def lay(self) -> None:
        """Raise and furnish it. Raises what the lab raises."""

    def clear(self) -> None:
        """End what belongs to it alone; hosts of the lab go with the lab. Repeats without effect."""

    def inside(self) -> AbstractContextManager[None]:
        """Where runs are started from."""

    def move(self) -> WaveMove:
        """The asset's move, with its machines as they are known."""

    def profiles(self) -> tuple[AccessProfile, ...]:
        """How they are reached."""

    def pictures(self) -> dict[str, Picture]:
        """All that counts of every machine, seen from outside."""


@dataclass
class LabGround:
    """Throw-away hosts of the lab."""

    lab: Lab
    runbook: Runbook
    stage: Stage
    kind: Ground = Ground.HOSTS
    worker: Worker | None = None
    stays: Mapping[str, str] = field(default_factory=dict)

    def lay(self) -> None:
        """Raise the hosts and put on them what is to move. Raises what the lab raises."""
        self.lab.up(tenant=TENANT, specs=self.stage.specs)
        self.stage.furnish(self.host)

    def clear(self) -> None:
        """Nothing of its own."""

    def host(self, name: str) -> Host:
        """One of the hosts. Raises LabHostUnknown."""
        return self.lab.host(name, tenant=TENANT)

    def inside(self) -> AbstractContextManager[None]:
        """The controller's network."""
        return self.lab.controller()

    def move(self) -> WaveMove:
        """The seat's, or the procedure's server's."""
        access = self.lab.access(TENANT)
        made = move_of(access, self.runbook, number=1, names=self.stage.names)
        partners = enumerate(self.stage.partners, start=1)
        more = tuple(machine_of(access, f"partner_{number}", name) for number, name in partners)
        return replace(made, procedure=self.stage.settings, machines=(*made.machines, *more))

    def profiles(self) -> tuple[AccessProfile, ...]:
        """The lab's own."""
        return (seat_profile(self.lab.access(TENANT)),)

    def pictures(self) -> dict[str, Picture]:
        """Every file that counts of every host, and what files do not show."""
        return self.stage.pictures(self.runbook, self.host)
