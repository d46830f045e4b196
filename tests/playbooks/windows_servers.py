"""A town with two Windows servers that are none: models behind protocol doubles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.windows_models import SERVER_FILES as FILES
from orchestrator.lab.windows_models import Server, two_servers
from tests.playbooks.windows_seats import OLD, Kit, Modules, WindowsTown, a_town_of

__all__ = ["FILES"]
DESCRIBED = f"""\
windows_servers:
  {OLD}-id:
    folders: {{akten: 'D:\\Akten'}}
    shares: [Akten]
    services: [MeldeDienst, MeldeWeb]
    tasks: ['\\Melde\\Nachtlauf', '\\Melde\\Ruht']
windows_server: "{{{{ windows_servers[kahn_asset] | default({{}}) }}}}"
"""


@dataclass(kw_only=True)
class ServerTown(WindowsTown):
    """The same with two servers."""

    source: Server
    target: Server


@contextmanager
def a_town_with_a_server(place: Path, sockets: Path, *, described: str = DESCRIBED) -> Iterator[ServerTown]:
    """Up to a wave of one server that has been claimed."""
    old, new = two_servers()
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
