"""``kahn person``: who may sign. The store keeps pseudonyms; names stand in one table that can be erased."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from orchestrator.cli.context import context_of, harmless
from orchestrator.ports import Books, Entry
from orchestrator.texts import _
from orchestrator.wiring import read_public_key

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name people know them by.")],
    key: Annotated[Path, typer.Option(help="Their OpenSSH public key file (id_ed25519.pub).")],
) -> None:
    """Register a person with their public key."""
    kahn = context_of(ctx)
    public_key = read_public_key(key)
    with kahn.world.transaction() as books:
        person = books.people.add(kahn.tenant, name=name, public_key=public_key)
        entry = Entry(kind="person.added", subject=f"person:{person.id}", body={"public_key": public_key})
        books.journal.append(kahn.tenant, [entry], at=kahn.world.clock.now())
    kahn.out.line(_("{name} is {id} in {tenant}.").format(name=name, id=person.id, tenant=kahn.tenant))
    kahn.out.json({"id": person.id, "name": name})


@app.command("list")
def list_people(ctx: typer.Context) -> None:
    """Everyone who may sign here."""
    kahn = context_of(ctx)
    with kahn.world.transaction() as books:
        books.tenants.policy(kahn.tenant)  # a tenant that is not there is refused, not shown as empty
        people = books.people.everyone(kahn.tenant)
    table = Table(_("id"), _("name"), _("active"), _("deputy of"))
    for person in people:
        active = _("yes") if person.active else _("no")
        table.add_row(person.id, escape(harmless(person.name or "-")), active, ", ".join(person.deputy_of))
    kahn.out.rich(table)
    kahn.out.json([{"id": one.id, "name": one.name, "active": one.active} for one in people])


@app.command()
def deputy(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Who stands in.")],
    of: Annotated[str, typer.Option(help="For whom.")],
) -> None:
    """Let one person stand in for another."""
    kahn = context_of(ctx)
    with kahn.world.transaction() as books:
        person, principal = books.people.find(kahn.tenant, name), books.people.find(kahn.tenant, of)
        books.people.set_deputy(kahn.tenant, person=person.id, of=principal.id)
        _note(books, kahn.tenant, "person.deputy", person.id, {"of": principal.id}, at=kahn.world.clock.now())
    kahn.out.line(_("{name} may now stand in for {of}.").format(name=name, of=of))
    kahn.out.json({"id": person.id, "of": principal.id})


@app.command()
def erase(ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name or id.")]) -> None:
    """Forget a person's name for good. What they signed stays verifiable under their pseudonym."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        books.people.find(kahn.tenant, name)
    kahn.confirm(_("Erase the name of {name}? It cannot be brought back.").format(name=name))
    with kahn.world.transaction() as books:
        person = books.people.find(kahn.tenant, name)
        books.people.erase(kahn.tenant, person.id)
        _note(books, kahn.tenant, "person.erased", person.id, {}, at=kahn.world.clock.now())
    kahn.out.line(_("The name of {id} is erased; the person can no longer sign.").format(id=person.id))
    kahn.out.json({"id": person.id, "erased": True})


def _note(books: Books, tenant: object, kind: str, person: str, body: dict[str, object], *, at: object) -> None:
    books.journal.append(tenant, [Entry(kind=kind, subject=f"person:{person}", body=body)], at=at)  # type: ignore[arg-type]
