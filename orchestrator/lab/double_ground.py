"""The ground of a trial for Windows: protocol doubles on this machine. No Windows machine is reached by any of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from inventory.psrp_options import Psrp
from orchestrator.core.access import AccessProfile
from orchestrator.core.runbook import RoleSource, Runbook
from orchestrator.core.trial import Ground
from orchestrator.core.wave import WaveMachine, WaveMove
from orchestrator.lab.certificates import a_certificate
from orchestrator.lab.ground import Worker
from orchestrator.lab.picture import Picture
from orchestrator.lab.psrp_double import Double, a_double
from orchestrator.lab.seats import seat_asset
from orchestrator.lab.windows_models import Seat, Server, two_seats, two_servers

ASSET = seat_asset(1)
PASSWORD = "geheim"
PLACES = {RoleSource.ASSET: ("old", "localhost"), RoleSource.SUCCESSOR: ("new", "127.0.0.1")}
"""Who plays the asset and its successor, and by which of this machine's own names each is reached."""
MADE_UP = {
    "windows_share": "\\\\vault.example\\kahn",
    "windows_share_user": "kahn",
    "windows_share_password": "made up",
    "windows_server": {
        "folders": {"akten": "D:\\Akten"},
        "shares": ["Akten"],
        "services": ["MeldeDienst", "MeldeWeb"],
        "tasks": ["\\Melde\\Nachtlauf", "\\Melde\\Ruht"],
    },
}
"""What a trial says in place of the variables that people set in their copy: no share of theirs is ever named."""


def set_variables(folder: Path) -> None:
    """Beside the playbooks of a copy: the made-up share and server, before those of the copy's own groups."""
    (folder / "host_vars").mkdir(exist_ok=True)
    (folder / f"host_vars/{ASSET}.yml").write_text(json.dumps(MADE_UP, indent=1) + "\n", encoding="utf-8")


@dataclass
class DoubleGround:
    """Two models behind two doubles. ``server``: they are servers; ``place`` is a folder of its own."""

    runbook: Runbook
    place: Path
    server: bool
    kind: Ground = Ground.DOUBLE
    worker: Worker | None = None
    stays: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Seat | Server] = field(default_factory=dict, init=False)
    _doubles: dict[str, Double] = field(default_factory=dict, init=False)
    _open: ExitStack = field(default_factory=ExitStack, init=False)

    def lay(self) -> None:
        """The doubles listen on this machine alone."""
        self.place.mkdir(parents=True, exist_ok=True)
        (self.place / "password").write_text(f"{PASSWORD}\n")
        old, new = two_servers() if self.server else two_seats()
        self.models = {"old": old, "new": new}
        for name, model in self.models.items():
            self._doubles[name] = self._open.enter_context(_doubled(model, self.place / name))

    def clear(self) -> None:
        """They listen no more."""
        self._open.close()

    def inside(self) -> AbstractContextManager[None]:
        """Here: the doubles are on this machine."""
        return nullcontext()

    def move(self) -> WaveMove:
        """Two machines that are none."""
        machines = tuple(self._machine(role.name, *PLACES[role.machine]) for role in self.runbook.roles)
        return WaveMove(asset=ASSET, name="old", department="", site="", users=1, machines=machines)

    def _machine(self, role: str, name: str, address: str) -> WaveMachine:
        host_key = self._doubles[name].host_key
        return WaveMachine(role=role, name=name, address=address, host_key=host_key, access=name)

    def profiles(self) -> tuple[AccessProfile, ...]:
        """One for each double's port."""
        key_file, way = str(self.place / "password"), Psrp(login="basic")
        return tuple(
            AccessProfile(name=name, user="kahn", key_file=key_file, port=double.port, psrp=way)
            for name, double in self._doubles.items()
        )

    def pictures(self) -> dict[str, Picture]:
        """What the models hold, and what lies on the share."""
        found = {name: _seen(model) for name, model in self.models.items()}
        return found | {"share": _on_share(self.models["old"])}


@contextmanager
def _doubled(model: Seat | Server, place: Path) -> Iterator[Double]:
    modules = {"kahn_windows_seat": model}
    if isinstance(model, Server):
        modules = {"kahn_windows_seat": model.seat, "kahn_windows_server": model}
    with a_double(certificate=a_certificate(place), modules=modules, password=PASSWORD) as double:
        yield double


def _seen(model: Seat | Server) -> Picture:
    return {f"{kind} {name}": (one,) for kind, told in model.stands().items() for name, one in told.items()}


def _on_share(model: Seat | Server) -> Picture:
    seat = model.seat if isinstance(model, Server) else model
    return {f"{asset} {name}": (one,) for asset, files in seat.share.items() for name, one in files.items()}
