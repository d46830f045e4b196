"""Windows machines that are none: models in Python of what two modules in PowerShell mean to do, for a protocol double.

They prove how a runbook hangs together, what Kahn sends and how it takes answers; nothing about the PowerShell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

SEAT_FILES = {
    "jürgen/Documents/Straße & Söhne (1).docx": b"one",
    "jürgen/Documents/it's `$x` {{ 1 }}.txt": b"two",
    "anna/Desktop/a\u0308.txt": b"decomposed",
    "anna/Desktop/\u00e4.txt": b"composed",
    "anna/Documents/empty": b"",
}
SERVER_FILES = {"akten/Straße (1).docx": b"one", "akten/it's `$x` {{ 1 }}.txt": b"two"}
OWN_FILES = {"anna/Desktop/mine.txt": b"mine"}
"""What lies on the new seat before anything is put there."""


@dataclass(kw_only=True)
class Seat:
    """One machine's files by name, and what the module keeps there; ``share`` is what both machines write to."""

    share: dict[str, dict[str, bytes]]
    files: dict[str, bytes] = field(default_factory=dict)
    people: int = 0
    sealed: dict[str, str] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)
    ahead_of: dict[str, str] = field(default_factory=dict)
    placed: dict[str, str] = field(default_factory=dict)
    coming: dict[str, str] = field(default_factory=dict)
    stops_after: int | None = None
    """How many files a restore still puts in place before the machine is lost."""
    sent: list[tuple[str, ...]] = field(default_factory=list)
    """Names that each copy to the share wrote there."""
    portrait: dict[str, str] = field(default_factory=dict)
    passwords: set[str] = field(default_factory=set)

    def __call__(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the module answers."""
        self.passwords.add(str(given.get("share_password") or ""))
        there = self.share.setdefault(str(given["asset"]), {})
        said = getattr(self, str(given["state"]))(there, str(given.get("expected") or ""))
        bad = "cause" in said
        return {"changed": False, "kahn": said} | ({"failed": True, "msg": said["says"]} if bad else {})

    def stands(self) -> dict[str, Any]:
        """All that may differ after a move and its way back."""
        return {"files": dict(self.files)}

    def looked(self, _there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        return trouble("source_busy", f"{self.people} people are logged on.") if self.people else {"people": 0}

    def taken(self, _there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        self.portrait = sums(self.files)
        return {"baseline": digest(self.portrait)}

    def unchanged(self, _there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        return {"baseline": digest(self.portrait), "now": digest(sums(self.files)), "difference_count": 0}

    def told(self, _there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        return {"manifest": digest(self.sealed)}

    def ahead(self, there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        ready = {name: content for name, content in self.files.items() if name not in self.in_use}
        said = self._send(there, ready)
        self.ahead_of = sums(ready)
        return {**said, "later": len(self.files) - len(ready)}

    def saved(self, there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        if len({name.casefold() for name in self.files}) != len(self.files):
            return trouble("names_collide", "Two files differ in capitals only.")
        return self._send(there, self.files)

    def _send(self, there: dict[str, bytes], files: Mapping[str, bytes]) -> dict[str, Any]:
        self.sealed = sums(files)
        fresh = {name: one for name, one in files.items() if self.ahead_of.get(name) != self.sealed[name]}
        self.sent.append(tuple(fresh))
        kept = {name: one for name, one in there.items() if name in files}
        there.clear()
        there |= kept | fresh
        return {"manifest": digest(self.sealed), "entries": len(files)}

    def forgotten(self, there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        there.clear()
        self.ahead_of = {}
        return {"forgotten": True}

    def restored(self, there: dict[str, bytes], expected: str) -> dict[str, Any]:
        if digest(wanted := sums(there)) != expected:
            return trouble("manifest_damaged", "The list of checksums is not the one of the old machine.")
        if others := [one for one in there if one in self.files and not self._is_ours(one, wanted)]:
            return trouble("target_not_empty", f"{len(others)} files of others are in the way")
        ours = {*self.placed, *self.coming}
        self.coming = {name: one for name, one in wanted.items() if name in ours or name not in self.files}
        for name in ours - wanted.keys():
            if name in self.files and self._is_ours(name, {}):
                del self.files[name]
        for name, content in there.items():
            if self.stops_after == 0:
                self.stops_after = None
                return trouble("os_error", "The machine is lost.")
            self.stops_after = None if self.stops_after is None else self.stops_after - 1
            self.files[name] = content
        self.placed, self.coming = self.coming, {}
        return {"entries": len(there)}

    def _is_ours(self, name: str, wanted: Mapping[str, str]) -> bool:
        have = sums({name: self.files[name]})[name]
        return have in (wanted.get(name), self.placed.get(name), self.coming.get(name))

    def compared(self, there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        odd = [name for name in there if self.files.get(name) != there[name]]
        return trouble("manifest_differs", f"{len(odd)} files differ.") if odd else {"equal": True}

    def removed(self, _there: dict[str, bytes], _expected: str) -> dict[str, Any]:
        here = [name for name in {**self.placed, **self.coming} if name in self.files]
        changed = [name for name in here if not self._is_ours(name, {})]
        for name in set(here) - set(changed):
            del self.files[name]
        if changed:
            return trouble("foreign_files", f"{len(changed)} files were changed since")
        self.placed, self.coming = {}, {}
        return {"removed": 1}


def trouble(cause: str, says: str) -> dict[str, Any]:
    """How the module reports a failure."""
    return {"cause": cause, "says": says}


def sums(files: Mapping[str, bytes]) -> dict[str, str]:
    """Name -> SHA-256."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def digest_of(text: str) -> str:
    """SHA-256 of a note."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest(manifest: Mapping[str, str]) -> str:
    """SHA-256 of the list of checksums."""
    lines = sorted(f"{one}  {name}\n" for name, one in manifest.items())
    return digest_of("".join(lines))


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
        return {"manifest": digest_of(self.record)}

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
        same = digest_of(self.kept[str(given["asset"])]) == given["expected"]
        return {} if same else trouble("manifest_damaged", "What the share tells is not what the old server noted.")


def two_seats() -> tuple[Seat, Seat]:
    """The old seat with files whose names hurt, and the new one, which holds a file of its own."""
    share: dict[str, dict[str, bytes]] = {}
    return Seat(share=share, files=dict(SEAT_FILES)), Seat(share=share, files=dict(OWN_FILES))


def two_servers() -> tuple[Server, Server]:
    """The old server at work, and the new one with the same services, stopped and disabled."""
    share: dict[str, dict[str, bytes]] = {}
    kept: dict[str, str] = {}
    old = Server(
        seat=Seat(share=share, files=dict(SERVER_FILES)),
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
    return old, new
