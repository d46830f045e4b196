"""`kahn lab`: throw-away real hosts on this machine for rehearsing a wave."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.errors import ExpectedError
from orchestrator.lab.faults import FAULTS
from orchestrator.lab.host import Host, HostSpec, Init
from orchestrator.lab.lab import Lab, default_directory, inventory_rows, seat_specs
from orchestrator.lab.notice import Notice
from orchestrator.lab.seed import seed_user_files
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True, help=_("Throw-away real hosts on this machine, for rehearsing a wave."))

Directory = Annotated[
    Path | None, typer.Option("--dir", help=_("State directory of the lab; default: .state/lab of this checkout."))
]
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
Tenant = Annotated[str, typer.Option("--tenant", "-t", help=_("Tenant whose LAN is meant."))]


def _lab(directory: Path | None) -> Lab:
    return Lab(directory or default_directory(), tell=_tell)


def _tell(notice: Notice) -> None:
    typer.echo(_(notice.says).format(**notice.facts), err=True)


@app.command()
def up(
    tenant: Tenant = "stadt",
    *,
    count: Annotated[int, typer.Option(min=0, help=_("How many hosts PREFIX-0001 and so on."))] = 0,
    prefix: Annotated[str, typer.Option(help=_("Name prefix of counted hosts."))] = "apc",
    seats: Annotated[int, typer.Option(min=0, help=_("Pairs of old workstation and successor, with a vault."))] = 0,
    files: Annotated[int, typer.Option(min=0, help=_("Made-up user files per old workstation (with --seats)."))] = 24,
    seed: Annotated[int, typer.Option(help=_("Seed of the made-up user files."))] = 1,
    init: Annotated[Init, typer.Option(help=_("What runs as PID 1: sshd (light) or systemd."))] = "sshd",
    disk_mib: Annotated[int, typer.Option(min=8, help=_("Disk size of each host in MiB."))] = 256,
    directory: Directory = None,
) -> None:
    """Make and start hosts; those that exist already are only started."""
    counted = [HostSpec(name=f"{prefix}-{n:04d}", init=init, disk_mib=disk_mib) for n in range(1, count + 1)]
    lab = _lab(directory)
    with _taken_down_if_interrupted(lab):
        known = {host.name for host in lab.hosts(tenant)}
        hosts = lab.up(tenant=tenant, specs=(*seat_specs(seats, disk_mib=disk_mib, init=init), *counted))
        for host in hosts:
            if seats and files and host.name.startswith("apc-") and host.name not in known:
                seed_user_files(host, seed=seed, files=files)
    typer.echo(_("{count} hosts are up for {tenant}.").format(count=len(hosts), tenant=tenant))
    _tell_next(lab, tenant)


def _tell_next(lab: Lab, tenant: str) -> None:
    """How Kahn gets to these hosts: their inventory, the access profile, and where to run what reaches them."""
    access, place = lab.access(tenant), shlex.join(("--dir", str(lab.directory)))
    jump = f"{access.jump_user}@{access.jump_address}:{access.jump_port}"
    profile = ("--user", access.user, "--key", str(access.key_path), "--jump", jump)
    words = ("kahn", "access", "add", "lab", *profile, "--jump-host-key", access.jump_host_key)
    typer.echo(_("Next, to rehearse on them in a tenant of your own:"))
    typer.echo(f"  kahn lab inventory {place} --tenant {tenant} > lab.json; kahn asset import lab.json")
    typer.echo(f"  {shlex.join(words)}")
    typer.echo(f"  kahn lab exec {place} -- kahn wave run W01")
    typer.echo(_("What reaches a host must run by `kahn lab exec`; `kahn lab down` takes the lab away."))


@contextmanager
def _taken_down_if_interrupted(lab: Lab) -> Iterator[None]:
    """A lab that was not there before and whose making is interrupted goes away again."""
    was_there = lab.exists
    for number in (signal.SIGINT, signal.SIGTERM):  # also where the caller's shell left SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if was_there:
            typer.echo(_("Interrupted; `kahn lab down` takes the lab away."), err=True)
        else:
            typer.echo(_("Interrupted; taking the half-made lab away."), err=True)
            lab.down()
        raise typer.Exit(130) from None


@app.command()
def down(directory: Directory = None) -> None:
    """Take the whole lab away: hosts, networks, files."""
    _lab(directory).down()
    typer.echo(_("The lab is gone."))


@app.command(name="exec", context_settings=_PASS_ON)
def execute(context: typer.Context, directory: Directory = None) -> None:
    """Run a command in the controller's network, from where the jump hosts can be reached."""
    if not context.args:
        raise typer.BadParameter(_("a command is missing, for example: kahn lab exec -- kahn status"))
    words = _lab(directory).inside(*context.args)
    os.execvp(words[0], words)


@app.command()
def fault(
    host: Annotated[str, typer.Argument(help=_("Name of the host."))],
    kind: Annotated[str, typer.Argument(help=_("One of: {faults}.").format(faults=", ".join(FAULTS)))],
    value: Annotated[str, typer.Argument(help=_("For rate (2mbit), loss (%), delay (ms), restless (file)."))] = "",
    *,
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help=_("Needed if several tenants have it."))] = None,
    directory: Directory = None,
) -> None:
    """Let something happen to a host, or heal it."""
    lab = _lab(directory)
    lab.fault(lab.host(host, tenant=tenant), kind, value)
    typer.echo(_("{host}: {fault} done.").format(host=host, fault=kind))


@app.command(name="list")
def list_hosts(
    *,
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help=_("Only this tenant."))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("As JSON."))] = False,
    directory: Directory = None,
) -> None:
    """List the lab's hosts and whether they run."""
    hosts = _lab(directory).hosts(tenant)
    if as_json:
        typer.echo(json.dumps([_facts(host) for host in hosts], indent=1))
        return
    for host in hosts:
        power = _("on") if host.running else _("off")
        typer.echo(f"{host.tenant:12} {host.name:16} {host.address:15} {host.mac} {host.init:8} {power}")
    if not hosts:
        typer.echo(_("No lab is up here. Start one with `kahn lab up --tenant stadt --seats 2`."))


def _facts(host: Host) -> dict[str, Any]:
    return {
        "tenant": host.tenant,
        "name": host.name,
        "address": host.address,
        "control_address": host.control_address,
        "mac": host.mac,
        "kind": host.kind,
        "init": host.init,
        "running": host.running,
        "root": str(host.root),
    }


@app.command()
def inventory(tenant: Tenant = "stadt", *, directory: Directory = None) -> None:
    """Print a tenant's machines as Kahn's native inventory (JSON)."""
    lab = _lab(directory)
    typer.echo(json.dumps({"kahn_inventory": 1, **inventory_rows(lab.access(tenant))}, indent=1))


def main() -> int:
    """Runs this command group alone; expected errors become their message and exit code."""
    try:
        app(prog_name="kahn lab")
    except ExpectedError as error:
        typer.echo(str(error), err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
