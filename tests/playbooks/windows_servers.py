"""Two Windows servers that are none: a model of services, tasks and shares, beside the model of files that seats have.

The model does what kahn_windows_server.ps1 means to do. It proves how the runbook hangs together, what Kahn sends and
how it takes answers; it proves nothing about the PowerShell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.playbooks.windows_seats import OLD, Kit, Modules, Seat, WindowsTown, a_town_of, trouble

DESCRIBED = f"""\
windows_servers:
  {OLD}-id:
    folders: {{akten: 'D:\\Akten'}}
    shares: [Akten]
    services: [MeldeDienst, MeldeWeb]
    tasks: ['\\Melde\\Nachtlauf', '\\Melde\\Ruht']
windows_server: "{{{{ windows_servers[kahn_asset] | default({{}}) }}}}"
"""
FILES = {"akten/Straße (1).docx": b"one", "akten/it's `$x` {{ 1 }}.txt": b"two"}


@dataclass(kw_only=True)
class Server:
    """One machine: services by name as (start mode, runs), tasks by name as enabled, shares by name as their path."""

    seat: Seat
    kept: dict[str, str]
    """What lies on the share beside the files: name -> the old server's note."""
    services: dict[str, tuple[str, bool]] = field(default_factory=dict)
    tasks: dict[str, bool] = field(default_factory=dict)
    shares: dict[str, str] = field(default_factory=dict)
    open_files: int = 0
    record: str = ""
    before: str = ""
    seen: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """States that were asked for, each with the names of services in it."""

    def __call__(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the module answers."""
        self.seen.append((str(given["state"]), tuple(given["services"])))
        said = getattr(self, str(given["state"]))(given)
        bad = "cause" in said
        return {"changed": False, "kahn": said} | ({"failed": True, "msg": said["says"]} if bad else {})

    def stands(self) -> dict[str, Any]:
        """All that may differ after a move and its way back."""
        return deepcopy(
            {"services": self.services, "tasks": self.tasks, "shares": self.shares, "files": self.seat.files}
        )

    def looked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if not (given["services"] or given["tasks"] or given["shares"]):
            return trouble("server_not_described", "No service, task or share of this server is named.")
        for kind in ("services", "tasks", "shares"):
            if lost := [one for one in given[kind] if one not in getattr(self, kind)]:
                return trouble("named_missing", f"There is no {lost[0]}.")
        return trouble("source_busy", f"{self.open_files} files are open.") if self.open_files else {"services": 2}

    def free(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return self._in_the_way(given) or {"services": len(given["services"])}

    def stopped(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self.record = self.record or json.dumps(self._named(given))
        self.kept[str(given["asset"])] = self.record
        self.tasks |= dict.fromkeys(given["tasks"], False)
        self.services |= dict.fromkeys(given["services"], ("Disabled", False))
        self._unshare(given)
        return {"services": len(given["services"])}

    def resumed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.record:
            self._as_noted(json.loads(self.record), ("services", "tasks", "shares"))
            self.record = ""
        return {"resumed": True}

    def told(self, _given: Mapping[str, Any]) -> dict[str, Any]:
        return {"manifest": _digest(self.record)}

    def arranged(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if bad := self._distrusts(given):
            return bad
        if bad := self._in_the_way(given):
            return bad
        self.before = self.before or json.dumps({"services": {one: self.services[one] for one in given["services"]}})
        self.tasks |= dict.fromkeys(json.loads(self.kept[str(given["asset"])])["tasks"], False)
        return {"tasks": len(given["tasks"])}

    def cleared(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.before:
            self.tasks = {name: on for name, on in self.tasks.items() if name not in given["tasks"]}
            self.before = ""
        return {"cleared": True}

    def started(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if bad := self._distrusts(given):
            return bad
        self._as_noted(json.loads(self.kept[str(given["asset"])]), ("services", "shares"))
        return {"services": len(given["services"])}

    def running(self, given: Mapping[str, Any]) -> dict[str, Any]:
        noted = json.loads(self.kept[str(given["asset"])])
        idle = [one for one, (_mode, runs) in noted["services"].items() if runs and not self.services[one][1]]
        return trouble("service_not_started", f"{idle[0]} does not run.") if idle else {"running": True}

    def halted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._unshare(given)
        self._as_noted(json.loads(self.before), ("services",))
        return {"halted": True}

    def enabled(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if bad := self._distrusts(given):
            return bad
        self._as_noted(json.loads(self.kept[str(given["asset"])]), ("tasks",))
        return {"tasks": len(given["tasks"])}

    def disabled(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self.tasks |= dict.fromkeys(given["tasks"], False)
        return {"tasks": len(given["tasks"])}

    def _in_the_way(self, given: Mapping[str, Any]) -> dict[str, Any]:
        taken = [one for kind in ("shares", "tasks") for one in given[kind] if one in getattr(self, kind)]
        return trouble("name_taken", f"{taken[0]} is there already.") if taken and not self.before else {}

    def _named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            kind: {one: getattr(self, kind)[one] for one in given[kind]} for kind in ("services", "tasks", "shares")
        }

    def _unshare(self, given: Mapping[str, Any]) -> None:
        self.shares = {name: path for name, path in self.shares.items() if name not in given["shares"]}

    def _as_noted(self, noted: Mapping[str, Any], kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            getattr(self, kind).update(
                {one: tuple(was) if isinstance(was, list) else was for one, was in noted[kind].items()}
            )

    def _distrusts(self, given: Mapping[str, Any]) -> dict[str, Any]:
        same = _digest(self.kept[str(given["asset"])]) == given["expected"]
        return {} if same else trouble("manifest_damaged", "What the share tells is not what the old server noted.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(kw_only=True)
class ServerTown(WindowsTown):
    """The same with two servers."""

    source: Server
    target: Server


@contextmanager
def a_town_with_a_server(place: Path, sockets: Path, *, described: str = DESCRIBED) -> Iterator[ServerTown]:
    """Up to a wave of one server that has been claimed."""
    share: dict[str, dict[str, bytes]] = {}
    kept: dict[str, str] = {}
    old = Server(
        seat=Seat(share=share, files=dict(FILES)),
        kept=kept,
        services={"MeldeDienst": ("Auto", True), "MeldeWeb": ("Manual", False), "Spooler": ("Auto", True)},
        tasks={"\\Melde\\Nachtlauf": True, "\\Melde\\Ruht": False, "\\Other": True},
        shares={"Akten": "D:\\Akten", "ADMIN$": "C:\\Windows"},
    )
    new = Server(
        seat=Seat(share=share),
        kept=kept,
        services={"MeldeDienst": ("Disabled", False), "MeldeWeb": ("Disabled", False), "Spooler": ("Auto", True)},
        shares={"ADMIN$": "C:\\Windows"},
    )
    kit = Kit(
        runbook="move-windows-server",
        vars="windows_servers",
        os_name="Windows Server 2019 Standard",
        described=described,
    )
    modules: tuple[Modules, ...] = tuple(
        {"kahn_windows_seat": one.seat, "kahn_windows_server": one} for one in (old, new)
    )
    with a_town_of(kit, (modules[0], modules[1]), place=place, sockets=sockets) as (town, runs, doubles):
        yield ServerTown(town=town, runs=runs, old=old.seat, new=new.seat, doubles=doubles, source=old, target=new)
