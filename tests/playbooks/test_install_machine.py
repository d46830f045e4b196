"""install-machine through the real engine: a released disk is installed by what boots, met by its known host key.

The bare machine is a lab host that is off; a simulated installer follows the boot script from its network card.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.adapters.netboot_folder import BootFolder
from orchestrator.core.netboot_site import site_text
from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab, inventory_rows, seat_specs
from orchestrator.lab.network import plug_in
from orchestrator.lab.power import power_on
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
from tests.simulated_installer import SENT_AWAY

__all__ = ["lab"]
pytestmark = pytest.mark.lab
PLACE = "var/lib/kahn-netboot"
URL_PORT = 8069


def a_bare_seat(place: Path, lab: Lab, *, tenant: str, seats: int) -> tuple[Story, BootFolder]:
    """Seats whose successors are bare and off, the boot server's folder on the vault, and an approved wave."""
    lab.up(tenant=tenant, specs=seat_specs(seats))
    boot = lab.host("vault", tenant=tenant)
    url = f"http://{boot.address}:{URL_PORT}"
    folder = BootFolder.made(boot.root / PLACE, site_text(url=url, prefix=16, gateway=""))
    (folder.place / "files/root.img").write_bytes(os.urandom(100_000))
    rows = inventory_rows(lab.access(tenant))
    for row in rows["machines"]:
        if row["name"] == "vault":
            row["role"] = "tool"
        if row["name"].startswith("neu-"):
            row["host_key"] = folder.make_key(row["mac"])
            bare = lab.host(row["name"], tenant=tenant)
            lab.fault(bare, "power-off")
            plug_in(bare)
    story = a_place(place, lab, tenant=tenant)
    a_tenant(story, policy=a_policy(runbook="install-machine", max_tries=1))
    an_import(story, rows)
    an_approved_wave(story)
    return story, folder


@contextmanager
def serving(story: Story, folder: BootFolder) -> Iterator[str]:
    """`kahn netboot serve` on the boot server's own address in its own network; its URL."""
    host = story.host("vault")
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
    return subprocess.run(("ip", "netns", "exec", host.network, *words), timeout=300).returncode


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
