"""The ground of a trial of network boot: a seat whose successor is bare, and Kahn's boot server as people set it up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.core.runbook import RoleSource, Runbook
from orchestrator.core.trial import Ground
from orchestrator.core.wave import WaveMove
from orchestrator.lab.bare_machine import (
    KERNEL_WORDS,
    BareMachine,
    emulator_root,
    kernel_of,
    lending,
    make_image,
    written,
)
from orchestrator.lab.base import default_cache
from orchestrator.lab.errors import LabToolFailed
from orchestrator.lab.ground import LabGround
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab, seat_specs
from orchestrator.lab.notice import Tell
from orchestrator.lab.picture import Picture
from orchestrator.lab.power import PACKAGE_ROOT
from orchestrator.lab.seats import seat_names
from orchestrator.lab.stage import OTHERS, Stage

BOOT = HostSpec(name="boot", kind="server", disk_mib=1024)
PLACE = "/var/lib/kahn-netboot"
PORT = 8069
FIRST, LAST, PREFIX = "10.77.99.1", "10.77.99.99", 16
NOTES = tuple(f"{PLACE}/{name}" for name in ("orders", "told", "withdrawn", "events.jsonl", "lock"))
"""What the boot server and its runs keep; looked at as what a machine would get."""
IN_MIDST_BYTES = 4 << 20
"""So much of the image is on the disk when the power goes: enough to be seen afterwards."""
OPEN = frozenset({"released", "offered", "writing"})


def boot_stage() -> Stage:
    """Old host, its bare successor, vault, jump host, and the boot server in the role of the tool."""
    return Stage(
        names={**OTHERS, **seat_names(1), RoleSource.TOOL: BOOT.name},
        specs=(*seat_specs(1), BOOT),
        furnish=lambda _host: None,
        seen_otherwise=NOTES,
    )


@dataclass
class BootGround(LabGround):
    """A seat of the lab whose successor is a bare machine in an emulator. ``place`` is a folder of its own."""

    stage: Stage = field(default_factory=boot_stage)
    kind: Ground = Ground.BARE
    place: Path = Path()
    tell: Tell = lambda _notice: None
    _open: ExitStack = field(default_factory=ExitStack, init=False)

    @classmethod
    def of(cls, lab: Lab, runbook: Runbook, *, place: Path, tell: Tell) -> BootGround:
        """One whose emulator and image lie in ``place``."""
        place.mkdir(parents=True, exist_ok=True)
        return cls(lab=lab, runbook=runbook, place=place, tell=tell)

    def lay(self) -> None:
        """Hosts, emulator, boot server with installer and image, DHCP. Raises what the lab raises."""
        root = emulator_root(default_cache(), self.tell)
        super().lay()
        self._boot, new = self.host(BOOT.name), self.host(self.stage.names[RoleSource.SUCCESSOR])
        self.lab.fault(new, "power-off")
        self._folder = self._boot.root / PLACE.lstrip("/")
        told = self._set_up(root)
        self._key = str(kahn("netboot", "key", new.mac, "--place", str(self._folder))[new.mac])
        self._machine = BareMachine(root=root, host=new, place=self.place / "machine")
        self.worker = _Watched(self._machine)
        self.stays = {f"{new.name}: disk": f"what was written to the disk of {new.name} stays there, by nature"}
        self._open.callback(self._machine.switch_off)
        self._open.enter_context(serving(self._boot, self._folder))
        self._open.enter_context(lending(root, self._boot, configuration=told, place=self.place / "dhcp"))

    def _set_up(self, root: Path) -> str:
        """The folder as docs/netboot.md says; dnsmasq's configuration."""
        listen = ("--listen", f"{self._boot.address}/{PREFIX}", "--range", f"{FIRST},{LAST}", "--port", str(PORT))
        told = kahn("netboot", "init", *listen, "--place", str(self._folder))
        kernel, modules = kernel_of(root)
        parts = ("--kernel", str(kernel), "--modules", str(modules), "--busybox", str(root / "bin/busybox"))
        kahn("netboot", "build", *parts, "--place", str(self._folder))
        make_image(self._boot.base, self.place / "root.img")
        shutil.copyfile(self.place / "root.img", self._folder / "files/root.img")
        site = (self._folder / "site.toml").read_text().replace('local = "bios"', 'local = "kernel"')
        words = f'kernel_words = "{KERNEL_WORDS}"'
        (self._folder / "site.toml").write_text(site.replace('kernel_words = ""', words))
        public = self.lab.key_path.with_suffix(".pub").read_bytes()
        (self._folder / "authorized_keys").write_bytes(public)
        return str(told["dnsmasq"])

    def clear(self) -> None:
        """Machine, server and DHCP end."""
        self._open.close()

    def move(self) -> WaveMove:
        """The seat's, its successor with the host key that was made for it."""
        made = super().move()
        new = {role.name for role in self.runbook.roles if role.machine is RoleSource.SUCCESSOR}
        machines = tuple(replace(one, host_key=self._key) if one.role in new else one for one in made.machines)
        return replace(made, machines=machines)

    def phase(self) -> str:
        """How the bare machine's order stands."""
        (found,) = kahn("netboot", "list", "--place", str(self._folder))["machines"]
        return str(found["phase"])

    def pictures(self) -> dict[str, Picture]:
        """Files of the hosts, what the boot server would give the bare machine, and the machine's disk."""
        found = super().pictures()
        gets = "installer" if self.phase() in OPEN else "its own disk"
        found.setdefault(BOOT.name, {})["what the bare machine is given"] = (gets,)
        found.setdefault(self._machine.host.name, {})["disk"] = self._machine.looks()
        return found


@dataclass
class _Watched:
    """The bare machine, which is at work once some of its disk is written."""

    machine: BareMachine

    def switch_on(self) -> None:
        self.machine.switch_on()

    def switch_off(self) -> None:
        self.machine.switch_off()

    def in_midst(self) -> bool:
        return written(self.machine.disk)[0] >= IN_MIDST_BYTES


def kahn(*words: str) -> Mapping[str, Any]:
    """What a command of Kahn's says, as JSON: the boot server is set up as people do it. Raises LabToolFailed."""
    done = subprocess.run(_program(*words), capture_output=True, text=True, check=False, env=_environment())
    if done.returncode != 0:
        raise LabToolFailed(tool=" ".join(("kahn", *words[:2])), reason=(done.stderr or done.stdout).strip()[-600:])
    told: Mapping[str, Any] = json.loads(done.stdout)
    return told


def _program(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "orchestrator.cli.main", "--json", *words)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), "PYTHONUNBUFFERED": "1"}


@contextmanager
def serving(host: Host, folder: Path) -> Iterator[None]:
    """`kahn netboot serve` on a lab host's own address. Raises LabToolFailed."""
    words = _program("netboot", "serve", "--listen", host.address, "--port", str(PORT), "--place", str(folder))
    inside = ("ip", "netns", "exec", host.network, *words)
    server = subprocess.Popen(inside, stdout=subprocess.PIPE, text=True, env=_environment())
    try:
        if not server.stdout or not "".join(iter(server.stdout.readline, "}\n")):
            raise LabToolFailed(tool="kahn netboot serve", reason="it did not start")
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate()
