"""``kahn access``: access profiles belong to the administrator; inventories only name them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from inventory.addressing import parse_host_key
from inventory.model import InvalidValue
from inventory.psrp_options import PORT as PSRP_PORT
from inventory.psrp_options import Psrp
from orchestrator.cli.context import context_of, harmless
from orchestrator.core.access import AccessProfile, InvalidAccess, JumpHost
from orchestrator.core.canonical import plain
from orchestrator.ports import Entry
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True)
SSH_PORT = 22
_PLACE = re.compile(r"(\[(?P<six>[0-9a-fA-F:]+)\]|(?P<address>[^\s:\[\]-][^\s:\[\]]*))(:(?P<port>[0-9]{1,5}))?")


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name by which inventories refer to it.")],
    key: Annotated[Path, typer.Option(help="Private key file Kahn uses; with --psrp the file with the password.")],
    user: Annotated[str, typer.Option(help="Account on the machines.")] = "root",
    port: Annotated[int | None, typer.Option(help="SSH port, or PSRP's.", show_default="22, with --psrp 5986")] = None,
    become: Annotated[bool, typer.Option("--become", help="Become root by sudo.")] = False,
    jump: Annotated[str, typer.Option(help="Jump host: [USER@]ADDRESS[:PORT].")] = "",
    jump_host_key: Annotated[str, typer.Option(help="The jump host's SSH public host key: type and base64.")] = "",
    legacy: Annotated[
        bool, typer.Option("--legacy", help="Let scan and discovery use weak algorithms with these old machines.")
    ] = False,
    psrp: Annotated[
        str,
        typer.Option(metavar="LOGIN", help="For Windows, over HTTPS: log in by ntlm, basic or certificate."),
    ] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="Certificate of --psrp certificate; --key is its private key.")
    ] = None,
) -> None:
    """Add or replace an access profile. Waves that were approved with the old one must be approved again."""
    kahn = context_of(ctx)
    if key.suffix == ".pub":
        raise InvalidAccess(name=name, field="key", value=key.name[:60], why="give the private key, not its .pub file")
    for file in (key, certificate):
        if file is not None and not file.is_file():
            kahn.out.warn(_("There is no file {file} yet; Kahn needs it when a wave runs.").format(file=file))
    profile = AccessProfile(
        name=name,
        user=user,
        key_file=str(key.resolve()),
        port=port if port is not None else PSRP_PORT if psrp else SSH_PORT,
        become=become,
        jump=_jump(name, jump, jump_host_key),
        legacy=legacy,
        psrp=_psrp(name, psrp, certificate),
    )
    with kahn.world.transaction() as books:
        before = {one.name: one for one in books.tenants.access(kahn.tenant)}.get(name)
        books.tenants.put_access(kahn.tenant, profile)
        entry = Entry(kind="access.put", subject=f"access:{name}", body=plain(profile))
        books.journal.append(kahn.tenant, [entry], at=kahn.world.clock.now())
    told = _("Access profile {name} is there.")
    if before is not None and before != profile:
        told = _(
            "Access profile {name} is replaced; waves approved with the old one must be proposed and approved again."
        )
    kahn.out.line(told.format(name=name))
    if psrp and key.is_file() and (trouble := kahn.world.key_trouble(profile)):
        kahn.out.warn(_("{file} cannot be used yet: {why}.").format(file=key, why=_(trouble)))
    kahn.out.json(profile)


@app.command("list")
def list_profiles(ctx: typer.Context) -> None:
    """All access profiles of the tenant."""
    kahn = context_of(ctx)
    with kahn.world.transaction() as books:
        books.tenants.policy(kahn.tenant)  # a tenant that is not there is refused, not shown as empty
        profiles = books.tenants.access(kahn.tenant)
    table = Table(_("name"), _("way"), _("user"), _("port"), _("key"), _("jump host"))
    for one in profiles:
        key_file, jump = escape(harmless(one.key_file)), escape(harmless(one.jump.address if one.jump else "-"))
        way = f"psrp ({one.psrp.login})" if one.psrp else one.transport
        table.add_row(one.name, way, one.user, str(one.port), key_file, jump)
    kahn.out.rich(table)
    kahn.out.json(profiles)


def _psrp(name: str, login: str, certificate: Path | None) -> Psrp | None:
    if not login:
        if certificate is not None:
            why = "it belongs to --psrp certificate"
            raise InvalidAccess(name=name, field="certificate", value=certificate.name[:60], why=why)
        return None
    if login == "certificate" and certificate is None:
        raise InvalidAccess(name=name, field="certificate", value="", why="name its file with --certificate")
    return Psrp(login=login, certificate_file=str(certificate.resolve()) if certificate else "")


def _jump(name: str, text: str, host_key: str) -> JumpHost | None:
    if not text:
        return None
    if len(host_key.split()) < 2:
        raise InvalidAccess(name=name, field="jump_host_key", value=host_key[:40], why="the jump host's key is needed")
    try:
        parse_host_key("jump_host_key", host_key)
    except InvalidValue as error:
        raise InvalidAccess(
            name=name, field="jump_host_key", value=host_key[:40], why=str(error.facts["why"])
        ) from error
    user, _at, rest = text.rpartition("@")
    found = _PLACE.fullmatch(rest)
    if found is None:
        raise InvalidAccess(name=name, field="jump", value=text[:60], why="write [USER@]ADDRESS[:PORT]")
    address, port = found["six"] or found["address"], found["port"]
    return JumpHost(address=address, user=user or "root", port=int(port or 22), host_key=" ".join(host_key.split()[:2]))
