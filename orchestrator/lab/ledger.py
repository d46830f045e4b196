"""What labs changed on this machine as a whole, remembered so that the last lab puts it back."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from orchestrator.lab import kernel
from orchestrator.lab.names import LabNames

PLACE = Path("/run/kahn-lab")
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_WANTED = 8192  # each systemd takes several; the usual 128 ends at about 24 systemd hosts


@dataclass(slots=True, kw_only=True)
class _Ledger:
    """Labs by id with their directory, those that need the setting, and how things were before the first."""

    labs: dict[str, str] = field(default_factory=dict)
    inotify_for: list[str] = field(default_factory=list)
    inotify_was: int = 0
    had_netns_mount: bool = True


def join(names: LabNames) -> None:
    """Enters a lab into the ledger; call it before the lab makes its first namespace. Raises OSError."""
    with kernel.locked_directory(PLACE):
        ledger = _read()
        if not ledger.labs:
            ledger.had_netns_mount = kernel.NETNS_DIRECTORY in kernel.mount_points_below(kernel.NETNS_DIRECTORY)
        ledger.labs[names.id] = str(names.directory)
        _write(ledger)


def raise_inotify_limit(names: LabNames) -> int:
    """Makes room for systemd hosts; the former limit comes back with the last lab that needed it.

    The answer is the limit before, or 0 where nothing was changed. Raises OSError.
    """
    with kernel.locked_directory(PLACE):
        ledger = _read()
        now = int(INOTIFY.read_text())
        if names.id not in ledger.inotify_for and (ledger.inotify_for or now < INOTIFY_WANTED):
            ledger.inotify_was = ledger.inotify_was or now
            ledger.inotify_for.append(names.id)
            _write(ledger)
            INOTIFY.write_text(str(INOTIFY_WANTED))
        return now if now < INOTIFY_WANTED else 0


def leave(names: LabNames) -> None:
    """Takes a lab out and puts back what no other lab needs any more. Raises OSError."""
    with kernel.locked_directory(PLACE):
        ledger = _read()
        ledger.labs.pop(names.id, None)
        ledger.labs = {lab: place for lab, place in ledger.labs.items() if (Path(place) / "lab.json").exists()}
        ledger.inotify_for = [lab for lab in ledger.inotify_for if lab in ledger.labs]
        if ledger.inotify_was and not ledger.inotify_for:
            if int(INOTIFY.read_text()) == INOTIFY_WANTED:
                INOTIFY.write_text(str(ledger.inotify_was))
            ledger.inotify_was = 0
        if ledger.labs:
            _write(ledger)
        else:
            _close(ledger)


def _close(ledger: _Ledger) -> None:
    with suppress(OSError):
        if not ledger.had_netns_mount and not any(kernel.NETNS_DIRECTORY.iterdir()):
            kernel.unmount(kernel.NETNS_DIRECTORY)
            kernel.NETNS_DIRECTORY.rmdir()
    for path in (PLACE / "ledger.json", PLACE / "ledger.json.part"):
        path.unlink(missing_ok=True)
    with suppress(OSError):
        PLACE.rmdir()


def _read() -> _Ledger:
    try:
        return _Ledger(**json.loads((PLACE / "ledger.json").read_text()))
    except FileNotFoundError:
        return _Ledger()


def _write(ledger: _Ledger) -> None:
    part = PLACE / "ledger.json.part"
    part.write_text(json.dumps(asdict(ledger)))
    part.replace(PLACE / "ledger.json")
