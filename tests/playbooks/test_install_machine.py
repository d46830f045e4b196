"""install-machine through the real engine: a released disk is installed by what boots, met by its known host key.

The bare machine is a lab host that is off; a simulated installer follows the boot script from its network card.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.adapters.netboot_folder import BootFolder
from orchestrator.core.netboot_site import dnsmasq_text, site_text
from orchestrator.lab.bare_machine import (
    KERNEL_WORDS,
    LOADER_PACKAGES,
    BareMachine,
    BootLoader,
    emulator_root,
    kernel_of,
    lending,
    make_image,
)
from orchestrator.lab.base import default_cache, ensure_base
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab, inventory_rows, seat_specs
from orchestrator.lab.network import plug_in
from orchestrator.lab.notice import silent
from orchestrator.lab.power import power_on
from orchestrator.lab.seed import seed_user_files
from orchestrator.wiring_boot import boot_installer
from tests import simulated_installer
from tests.labs import lab
from tests.scenarios.story import (
    PATIENCE_S,
    Story,
    a_place,
    a_policy,
    a_tenant,
    an_approved_wave,
    an_import,
    wait_until,
)
from tests.simulated_installer import NO_LINE, SENT_AWAY

__all__ = ["lab"]
pytestmark = pytest.mark.lab
PLACE = "var/lib/kahn-netboot"
URL_PORT = 8069


def a_bare_seat(
    place: Path, lab: Lab, *, tenant: str, seats: int = 1, filled: bool = False
) -> tuple[Story, BootFolder]:
    """Seats whose successors are bare, the boot server's folder on a host of its own, and an approved wave.

    ``filled``: the old machines have users, and are replaced once the successors are installed.
    """
    lab.up(tenant=tenant, specs=(*seat_specs(seats), HostSpec(name="boot", kind="server", disk_mib=1024)))
    boot = lab.host("boot", tenant=tenant)
    url = f"http://{boot.address}:{URL_PORT}"
    folder = BootFolder.made(boot.root / PLACE, site_text(url=url, prefix=16, gateway=""))
    (folder.place / "files/root.img").write_bytes(os.urandom(100_000))
    rows = inventory_rows(lab.access(tenant))
    for row in rows["machines"]:
        if row["name"] == "boot":
            row["role"] = "tool"
        if row["name"].startswith("neu-"):
            row["host_key"] = folder.make_key(row["mac"])
            lab.fault(lab.host(row["name"], tenant=tenant), "power-off")
    story = a_place(place, lab, tenant=tenant)
    runbook = "install-machine"
    if filled:
        seed_user_files(lab.host("apc-0001", tenant=tenant), seed=1, files=6, users=2)
        runbook = "replace-by-bare"
        story.kahn("runbook", "join", "install-machine", "replace-workstation", "--as-runbook", runbook)
    a_tenant(story, policy=a_policy(runbook=runbook, max_tries=1))
    an_import(story, rows)
    an_approved_wave(story)
    return story, folder


@contextmanager
def serving(story: Story, folder: BootFolder) -> Iterator[str]:
    """`kahn netboot serve` on the boot server's own address in its own network; its URL."""
    host = story.host("boot")
    kahn = (sys.executable, "-m", "orchestrator.cli.main", "--json", "netboot", "serve")
    words = (*kahn, "--listen", host.address, "--port", str(URL_PORT), "--place", str(folder.place))
    inside = ("ip", "netns", "exec", host.network, *words)
    server = subprocess.Popen(inside, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert server.stdout is not None
    try:
        assert "".join(iter(server.stdout.readline, "}\n")), "the server did not start"
        yield f"http://{host.address}:{URL_PORT}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate()


def boots(host: Host, url: str, *, end: str = "installed", mac: str = "") -> int:
    """A bare machine boots by network once, from its own network card; exit code of the installer."""
    words = (sys.executable, simulated_installer.__file__, url, mac or host.mac, str(host.root), end)

    def once() -> tuple[int, ...]:
        if not host.pid:
            plug_in(host)  # the lab takes the line from a host that went off, a moment later
        code = subprocess.run(("ip", "netns", "exec", host.network, *words), timeout=300).returncode
        return () if code == NO_LINE else (code,)

    return int(wait_until(once)[0])


def released(folder: BootFolder, host: Host) -> bool:
    shelf = folder.shelf(host.mac)
    return shelf is not None and shelf.order is not None and not shelf.is_withdrawn


def test_a_released_disk_is_installed_once_and_what_is_interrupted_goes_back(lab: Lab, tmp_path: Path) -> None:
    story, folder = a_bare_seat(tmp_path, lab, tenant="blank", seats=2)
    good, unlucky = story.host("neu-0001"), story.host("neu-0002")
    with serving(story, folder) as url:
        assert boots(good, url) == SENT_AWAY, "an approved wave that does not run releases nothing"
        run = story.begin("wave", "run", "W01")
        try:
            wait_until(lambda: released(folder, good) and released(folder, unlucky), within_s=PATIENCE_S)
            assert boots(good, url, mac=unlucky.mac) == SENT_AWAY, "the network sees whose card it is"
            assert boots(good, url) == 0
            assert boots(good, url) == SENT_AWAY
            power_on((good,))
            assert boots(unlucky, url, end="dead") == 0
            assert boots(unlucky, url) == SENT_AWAY
            assert run.wait(PATIENCE_S) == 1
        finally:
            run.kill()
            run.wait()
        assert boots(good, url) == boots(unlucky, url) == SENT_AWAY
    assert story.states() == {"apc-0001": ("moved", ""), "apc-0002": ("rolled_back", "interrupted")}
    assert not released(folder, unlucky)


def contents(host: Host) -> dict[str, bytes]:
    """Files of the users on a host."""
    home = host.root / "home"
    return {str(one.relative_to(home)): one.read_bytes() for one in home.rglob("*") if one.is_file()}


@pytest.mark.long
def test_a_seat_moves_to_a_successor_that_was_bare_when_its_wave_began(lab: Lab, tmp_path: Path) -> None:
    story, folder = a_bare_seat(tmp_path, lab, tenant="voll", filled=True)
    bare, before = story.host("neu-0001"), contents(story.host("apc-0001"))
    with serving(story, folder) as url:
        run = story.begin("wave", "run", "W01")
        try:
            wait_until(lambda: released(folder, bare), within_s=PATIENCE_S)
            assert boots(bare, url) == 0
            power_on((bare,))
            assert run.wait(PATIENCE_S) == 0
        finally:
            run.kill()
            run.wait()
    assert story.states() == {"apc-0001": ("moved", "")}
    after = contents(bare)
    assert before and {name: after.get(name) for name in before} == before
    assert not list((story.home / "trees").rglob("*.pyc")), "the approved tree stays as it is"


def real_files(story: Story, folder: BootFolder, root: Path, place: Path, *, local: str) -> None:
    """Installer, image and settings for a machine that really boots; the image has GRUB where it starts by itself."""
    kernel, modules = kernel_of(root)
    boot_installer(folder.place, kernel=kernel, modules=modules, busybox=root / "bin/busybox", more=())
    grub = ensure_base(default_cache(), silent, LOADER_PACKAGES) if local == "bios" else None
    loader = BootLoader(root=grub, kernel=kernel, initrd=folder.place / "files/initrd.gz") if grub else None
    make_image(story.host("boot").base, place / "root.img", loader=loader)
    shutil.copyfile(place / "root.img", folder.place / "files/root.img")
    site = (folder.place / "site.toml").read_text().replace('"bios"', f'"{local}"', 1)
    (folder.place / "site.toml").write_text(site.replace('kernel_words = ""', f'kernel_words = "{KERNEL_WORDS}"'))
    key = story.lab.access(story.tenant).key_path
    public = subprocess.run(("ssh-keygen", "-y", "-f", key), check=True, capture_output=True).stdout
    (folder.place / "authorized_keys").write_bytes(public)


@pytest.mark.long
@pytest.mark.parametrize("local", ["kernel", "bios"])
def test_a_bare_machine_boots_is_installed_and_answers_with_the_approved_host_key(
    local: str, lab: Lab, tmp_path: Path
) -> None:
    """By the kernel that is served, and by the image's own boot loader, to which iPXE sends it."""
    story, folder = a_bare_seat(tmp_path, lab, tenant=f"echt-{local}")
    root, host = emulator_root(default_cache(), silent), story.host("neu-0001")
    real_files(story, folder, root, tmp_path, local=local)
    machine = BareMachine(root=root, host=host, place=tmp_path / "machine")
    url = f"http://{story.host('boot').address}:{URL_PORT}"
    ready = dnsmasq_text(url=url, interface="eth0", first="10.77.99.1", last="10.77.99.99", mask="255.255.0.0")
    lent = lending(root, story.host("boot"), configuration=ready, place=tmp_path / "dhcp")
    with serving(story, folder), lent:
        run = story.begin("wave", "run", "W01")
        try:
            wait_until(lambda: released(folder, host), within_s=PATIENCE_S)
            began = time.monotonic()
            machine.switch_on()
            code = run.wait(2 * PATIENCE_S)
        finally:
            run.kill()
            run.wait()
            machine.switch_off()
    (tmp_path / "seconds").write_text(f"{time.monotonic() - began:.0f}")
    gets = [json.loads(line).get("gets") for line in (folder.place / "events.jsonl").read_text().splitlines()]
    assert (code, story.states()) == (0, {"apc-0001": ("moved", "")}), machine.console.read_text(errors="replace")[
        -2000:
    ]
    assert [one for one in gets if one] == ["installer", "disk"]
