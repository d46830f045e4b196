"""``kahn netboot``: a boot server for bare machines. It works on a folder of its own and knows nothing of the store."""

from __future__ import annotations

import ipaddress
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from inventory.addressing import parse_mac
from inventory.errors import ExpectedError
from orchestrator.cli.context import context_of
from orchestrator.core.netboot import standing
from orchestrator.core.netboot_site import dnsmasq_text, site_text
from orchestrator.spoken import one_line
from orchestrator.texts import _
from orchestrator.wiring_boot import boot_folder, boot_installer, boot_server

app = typer.Typer(no_args_is_help=True)
DEFAULT = Path("/var/lib/kahn-netboot")
PORT = 8069
Place = Annotated[Path, typer.Option("--place", help="The boot server's folder.")]
Mac = Annotated[list[str], typer.Argument(help="Hardware address by which a machine boots.")]


class BadBootNetwork(ExpectedError):
    """What was said of the network of the machines to install makes no sense."""

    code, says = "BOOT-005", "{given!r} is no {wanted}."
    remedy = "Give it as in `kahn netboot init --listen 10.1.0.5/16 --range 10.1.9.1,10.1.9.99`."


@app.command()
def init(
    ctx: typer.Context,
    listen: Annotated[str, typer.Option(help="This machine's address in the machines' network, with its prefix.")],
    leases: Annotated[str, typer.Option("--range", help="First and last address that DHCP may lend, for dnsmasq.")],
    gateway: Annotated[str, typer.Option(help="The network's router, for the installed machines.")] = "",
    interface: Annotated[str, typer.Option(help="This machine's interface in that network, for dnsmasq.")] = "eth0",
    port: Annotated[int, typer.Option(min=1, max=65535)] = PORT,
    place: Place = DEFAULT,
) -> None:
    """Make the boot server's folder, and print a configuration of dnsmasq that fits it."""
    kahn = context_of(ctx)
    try:
        here = ipaddress.ip_interface(listen)
        first, last = (ipaddress.ip_address(one.strip()) for one in leases.split(",", 1))
        outside = [one for one in (first, last) if one not in here.network]
    except ValueError as cause:
        raise BadBootNetwork(given=f"{listen} {leases}"[:80], wanted=_("address with prefix and range")) from cause
    if here.version == 6:
        # dnsmasq takes such a configuration without a word, and sends no boot file by DHCPv6: nothing would boot.
        raise BadBootNetwork(given=listen[:80], wanted=_("IPv4 address: network boot goes by IPv4 alone"))
    if "/" not in listen or outside or not interface.replace("-", "").replace(".", "").isalnum():
        raise BadBootNetwork(given=f"{listen} {leases} {interface}"[:80], wanted=_("network with range and interface"))
    if gateway and _checked_ip(gateway) not in here.network:
        raise BadBootNetwork(given=f"{listen} {gateway}"[:80], wanted=_("network with a router in it"))
    if not first.packed <= last.packed or first.packed <= here.ip.packed <= last.packed:
        raise BadBootNetwork(
            given=f"{listen} {leases}"[:80], wanted=_("range from first to last, without this machine")
        )
    url = f"http://{here.ip}:{port}"
    made = boot_folder(place, site=site_text(url=url, prefix=here.network.prefixlen, gateway=gateway))
    text = dnsmasq_text(url=url, interface=interface, first=str(first), last=str(last), mask=str(here.netmask))
    kahn.out.line(text)
    if (kept := made.site()).url != url:
        kahn.out.warn(
            _("site.toml was there already and stays: machines are sent to {url} by it.").format(url=kept.url)
        )
    kahn.out.warn(_("Folder: {place}. Next: put vmlinuz, initrd.gz and root.img into its files/.").format(place=place))
    kahn.out.json({"place": str(made.place), "url": url, "dnsmasq": text})


def _checked_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as cause:
        raise BadBootNetwork(given=text[:80], wanted=_("IP address")) from cause


@app.command()
def key(ctx: typer.Context, macs: Mac, place: Place = DEFAULT) -> None:
    """Make the SSH host keys that machines will have, and print the public halves for the inventory (`host_key`)."""
    kahn = context_of(ctx)
    folder = boot_folder(place)
    found = {one: folder.make_key(one) for one in (parse_mac("mac", mac) for mac in macs)}
    for mac, public in found.items():
        kahn.out.line(f"{mac} {public}")
    kahn.out.json(found)


@app.command()
def build(
    ctx: typer.Context,
    kernel: Annotated[Path, typer.Option(help="Kernel for the installer, such as /boot/vmlinuz-6.1.0-56-cloud-amd64.")],
    modules: Annotated[Path, typer.Option(help="Its modules, such as /lib/modules/6.1.0-56-cloud-amd64.")],
    busybox: Annotated[Path, typer.Option(help="A static busybox (package busybox-static).")] = Path("/bin/busybox"),
    module: Annotated[
        list[str] | None, typer.Option("--module", help="Further modules for a disk or network card.")
    ] = None,
    place: Place = DEFAULT,
) -> None:
    """Pack the installer (vmlinuz and initrd.gz) into the boot server's folder."""
    kahn = context_of(ctx)
    size = boot_installer(place, kernel=kernel, modules=modules, busybox=busybox, more=tuple(module or ()))
    kahn.out.line(_("Packed: {count} KiB. Next: put root.img into files/ of {place}.").format(count=size, place=place))
    kahn.out.json({"place": str(place), "kib": size})


@app.command("list")
def list_machines(ctx: typer.Context, place: Place = DEFAULT) -> None:
    """Which machines are known here, whose disk is released, and how far each is. Exit code 9: a record is damaged."""
    kahn = context_of(ctx)
    folder = boot_folder(place)
    table = Table(box=None, header_style="dim")
    for heading in (_("hardware address"), _("asset"), _("name"), _("phase"), "%", _("until"), ""):
        table.add_column(heading, overflow="fold")
    rows: list[dict[str, object]] = []
    damaged: list[ExpectedError] = []
    for mac in folder.macs():
        try:
            with folder.alone():
                shelf = folder.shelf(mac)
        except ExpectedError as error:
            damaged.append(error)
            rows.append({"mac": mac, "phase": "damaged"})
            table.add_row(mac, "", "", _phase_word("damaged"), "", "", "")
            continue
        order, told = (shelf.order, shelf.now) if shelf else (None, None)
        row: dict[str, object] = {"mac": mac, "phase": standing(shelf, now=datetime.now(UTC))}
        if order and told:
            more = {"percent": told.percent, "until": order.until, "cause": told.cause}
            row |= {"asset": order.asset, "name": order.name, **more}
        rows.append(row)
        until = f"{order.until:%Y-%m-%d %H:%M} UTC" if order else ""
        cells = (order.asset, order.name) if order else ("", "")
        last = (str(told.percent), until, told.cause) if told else ("", "", "")
        table.add_row(mac, *(escape(one_line(cell)) for cell in (*cells, _phase_word(str(row["phase"])), *last)))
    kahn.out.rich(table)
    kahn.out.json({"machines": rows})
    if damaged:
        raise damaged[0]


def _phase_word(phase: str) -> str:
    """How an order stands, for people; JSON keeps the codes."""
    words = {
        "not_released": _("not released"),
        "withdrawn": _("withdrawn"),
        "over_time": _("over time"),
        "released": _("released"),
        "offered": _("offered"),
        "writing": _("being written"),
        "installed": _("installed"),
        "failed": _("failed"),
        "damaged": _("damaged"),
    }
    return words[phase]


@app.command()
def serve(
    ctx: typer.Context,
    listen: Annotated[str, typer.Option(help="The one address to listen on.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.")] = PORT,
    place: Place = DEFAULT,
) -> None:
    """Serve boot scripts, installer and image until told to stop. A released disk alone gets an installer."""
    kahn = context_of(ctx)
    if _checked_ip(listen).is_unspecified:
        raise BadBootNetwork(given=listen, wanted=_("one address of this machine"))
    server = boot_server(place, address=listen, port=port)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: told.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if lacking := server.desk.lacking():
        files = ", ".join(lacking)
        kahn.out.warn(
            _("No machine can be installed before these are there and the server is started again: {files}.").format(
                files=files
            )
        )
    if not server.desk.lets_anybody_in():
        kahn.out.warn(_("Nobody can log in to what is installed: authorized_keys has no key."))
    kahn.out.line(_("Listening on {address}, port {port}.").format(address=listen, port=server.port))
    kahn.out.json({"address": listen, "port": server.port})
    told.wait()
    server.shutdown()
    server.server_close()
