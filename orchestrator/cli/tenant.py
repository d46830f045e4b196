"""``kahn tenant``: whose IT is moved, and what each tenant allows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inventory.errors import ExpectedError
from inventory.model import TENANT_PATTERN, TenantId
from orchestrator.cli.context import BadTenantName, Context, context_of
from orchestrator.core.canonical import fingerprint_of, plain
from orchestrator.core.policy import Policy
from orchestrator.core.policy_file import read_policy, render_example
from orchestrator.ports import Entry
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True)


class FileUnreadable(ExpectedError):
    """A file that was named cannot be read."""

    code, says = "CLI-007", "{file} cannot be read: {why}."
    remedy = "Check the path and the permissions."


def _policy_from(kahn: Context, path: Path | None) -> Policy:
    """The policy of the file (or of the built-in example); what looks odd in it is said, not refused."""
    try:
        text = path.read_text(encoding="utf-8") if path else render_example()
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(file=path, why=error) from error
    read = read_policy(text, file=str(path or "example policy"), now=kahn.world.clock.now())
    if path is not None:
        for warning in read.warnings:
            kahn.out.warn(warning)
    kahn.world.check_retiring(read.policy)
    return read.policy


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Short name, a-z 0-9 -.")],
    policy: Annotated[Path | None, typer.Option(help="Policy file (TOML); else the example policy.")] = None,
) -> None:
    """Add a tenant."""
    kahn = context_of(ctx)
    if not TENANT_PATTERN.fullmatch(name):
        raise BadTenantName(name=name)
    allowed = _policy_from(kahn, policy)
    tenant = TenantId(name)
    with kahn.world.transaction() as books:
        books.tenants.add(tenant, policy=allowed)
        entry = Entry(kind="tenant.added", subject="tenant", body={"policy": plain(allowed)})
        books.journal.append(tenant, [entry], at=kahn.world.clock.now())
    kahn.out.line(
        _("Tenant {name} is there. Next: `kahn person add`, `kahn access add`, `kahn asset import`.").format(name=name)
    )
    kahn.out.json({"tenant": name})


@app.command("list")
def list_tenants(ctx: typer.Context) -> None:
    """All tenants."""
    kahn = context_of(ctx)
    with kahn.world.transaction() as books:
        tenants = books.tenants.all()
    for tenant in tenants:
        kahn.out.line(tenant)
    kahn.out.json(list(tenants))


@app.command("policy")
def set_policy(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Option(help="Policy file (TOML) to put in force.")] = None,
    example: Annotated[bool, typer.Option("--example", help="Print a commented example and stop.")] = False,
) -> None:
    """Show the tenant's policy, or put a new one in force."""
    kahn = context_of(ctx)
    if example:
        kahn.out.line(render_example())
        kahn.out.json({"example": render_example()})
        return
    with kahn.world.transaction() as books:
        if file is not None:
            allowed = _policy_from(kahn, file)
            books.tenants.set_policy(kahn.tenant, allowed)
            entry = Entry(kind="tenant.policy", subject="tenant", body={"policy": plain(allowed)})
            books.journal.append(kahn.tenant, [entry], at=kahn.world.clock.now())
        present = books.tenants.policy(kahn.tenant)
    for name, value in plain(present).items():
        kahn.out.line(f"{name} = {value}")
    kahn.out.json({"policy": present, "fingerprint": fingerprint_of(present)})
