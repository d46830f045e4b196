"""``kahn sync``: stay in step with a NetBox, in both directions; the difference is shown before anything is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.errors import ExpectedError
from inventory.model import AssetKind, InvalidValue
from inventory.sources.kind_words import parse_machine_kind
from inventory.sources.netbox import Mark, Pull
from orchestrator.actions.sync_netbox import Inward, access_of, inward, outward, take_inward
from orchestrator.actions.take_inventory import Now
from orchestrator.cli.asset_import import (
    PARTLY_TAKEN,
    collecting_paused,
    examples,
    refused_line,
    show_changes,
    step_as_json,
)
from orchestrator.cli.context import Context, context_of
from orchestrator.core.netbox import NetboxAccess, Outgoing, SyncState, Writes
from orchestrator.ports import Entry
from orchestrator.texts import _
from orchestrator.wiring import FieldsMissing, NetboxServer, missing_fields, netbox_server, prepare, pull_from, push

app = typer.Typer(no_args_is_help=True, help=_("Stay in step with neighbours: NetBox."))


class Neighbour(StrEnum):
    """With whom."""

    NETBOX = "netbox"


With = Annotated[Neighbour, typer.Argument(help=_("With whom: netbox."))]
Whole = Annotated[bool, typer.Option("--whole", help=_("Read everything, not only what changed."))]
AcceptMissing = Annotated[
    bool, typer.Option("--accept-missing", help=_("Objects that NetBox no longer shows are really gone."))
]


@app.command()
def setup(
    ctx: typer.Context,
    neighbour: With,
    url: Annotated[str, typer.Option(help=_("Its address, such as https://netbox.example"))],
    token_file: Annotated[Path | None, typer.Option(help=_("File that holds the token, mode 600."))] = None,
    token_env: Annotated[str, typer.Option(help=_("Or: environment variable that holds it."))] = "",
    netbox_tenant: Annotated[str, typer.Option(help=_("Slug of the tenant there; empty: everything."))] = "",
    ca_file: Annotated[Path | None, typer.Option(help=_("Certificates to trust for it."))] = None,
    role: Annotated[list[str] | None, typer.Option(help=_("What a role there means: SLUG=KIND."))] = None,
) -> None:
    """Say which NetBox this tenant has and where its token lies; the token itself is never stored."""
    context = context_of(ctx)
    where = f"env:{token_env}" if token_env else f"file:{token_file.absolute()}" if token_file else ""
    access = NetboxAccess(
        url=url.rstrip("/"),
        token_from=where,
        tenant=netbox_tenant,
        ca_file=str(ca_file.absolute()) if ca_file else "",
        roles=_roles(role or ()),
    )
    with context.world.transaction() as books:
        books.tenants.policy(context.tenant)  # a tenant that is not there is refused
        books.netbox.put_access(context.tenant, access)
        body = {"url": access.url, "tenant": access.tenant, "token_from": access.token_from.partition(":")[0]}
        entry = Entry(kind="inventory.netbox_setup", subject="inventory", body=body)
        books.journal.append(context.tenant, [entry], at=context.world.clock.now())
    context.out.json({"netbox": access.url, "tenant": access.tenant})
    context.out.line(_("Noted. Next: kahn sync show netbox"))


def _roles(words: Iterable[str]) -> dict[str, AssetKind]:
    found: dict[str, AssetKind] = {}
    for word in words:
        slug, is_pair, kind = word.partition("=")
        if not slug or not is_pair:
            raise InvalidValue(field="role", value=word[:80], why="write SLUG=KIND")
        found[slug] = parse_machine_kind(kind)
    return found


@app.command("prepare")
def prepare_(ctx: typer.Context, neighbour: With) -> None:
    """Create the custom fields that Kahn writes, once; needs the right to add custom fields."""
    context = context_of(ctx)
    server = _server(context)
    missing = missing_fields(server)
    if missing:
        context.confirm(_("Create {names} in NetBox?").format(names=", ".join(missing)))
        prepare(server)
    context.out.json({"created": list(missing)})
    context.out.line(
        _("Created: {names}.").format(names=", ".join(missing)) if missing else _("All of them are there already.")
    )


@app.command()
def show(ctx: typer.Context, neighbour: With, whole: Whole = False, accept_missing: AcceptMissing = False) -> None:
    """Show what would change here and there; writes nothing."""
    context = context_of(ctx)
    found = _read(context, _server(context), whole=whole, accept_missing=accept_missing)
    with context.world.store.reading() as books:
        changes = outward(books, context.tenant, found)
    _show_inward(context, found)
    _show_outward(context, changes)
    _show_state(context, found.state)
    context.out.json({**_inward_as_json(found), **_outward_as_json(changes), "state": _state_as_json(found.state)})


@app.command("apply")
def apply_(
    ctx: typer.Context,
    neighbour: With,
    whole: Whole = False,
    accept_missing: AcceptMissing = False,
    only_in: Annotated[bool, typer.Option("--only-in", help=_("Take in, write nothing there."))] = False,
) -> None:
    """Take in what changed there, and write there what it does not know; the first difference is only shown."""
    context = context_of(ctx)
    server = _server(context)
    found = _read(context, server, whole=whole, accept_missing=accept_missing)
    _show_inward(context, found)
    if not found.is_empty:
        context.confirm(_("Write these changes?"))
    with collecting_paused(), context.world.transaction() as books:
        written = take_inward(books, context.tenant, found, at=context.world.clock.now())
    context.out.line(_("Taken in: {count} changes.").format(count=written))
    answer: dict[str, Any] = {"written_here": written, **_inward_as_json(found)}
    if not only_in:
        answer |= _push(context, server, accept_missing=accept_missing)
    context.out.json(answer)
    if found.refusals:
        raise typer.Exit(PARTLY_TAKEN)


def _server(context: Context) -> NetboxServer:
    with context.world.store.reading() as books:
        access = access_of(books, context.tenant)
    return netbox_server(access)


def _read(context: Context, server: NetboxServer, *, whole: bool, accept_missing: bool) -> Inward:
    """Everything that the server shows, or what changed; compared with what is here."""
    with context.world.store.reading() as books:
        access, state = access_of(books, context.tenant), books.netbox.state(context.tenant)
    since = None if whole else Mark(read_at=state.read_at, change=state.change)
    with collecting_paused():
        pull = pull_from(server, access, since=since)
        return _compared(context, pull, accept_missing=accept_missing)


def _compared(context: Context, pull: Pull, *, accept_missing: bool) -> Inward:
    with context.world.store.reading() as books:
        now = Now(at=context.world.clock.now(), new_id=context.world.new_asset_id)
        return inward(books, context.tenant, pull, now=now, accept_missing=accept_missing)


# --------------------------------------------------------------------------- writing there


def _push(context: Context, server: NetboxServer, *, accept_missing: bool) -> dict[str, Any]:
    """Show what would be written there and write it, unless it is the first time that anybody sees it."""
    with context.world.store.reading() as books:
        changes = outward(books, context.tenant)
        state = books.netbox.state(context.tenant)
    _show_outward(context, changes)
    if not changes:
        _keep(context, replace(state, complete=True, told=""))
        return {"written_there": 0}
    if not _may_write(context, state):
        return {"written_there": 0, "writes": Writes.SHOWN.value, **_outward_as_json(changes)}
    missing = missing_fields(server)
    if missing:
        raise FieldsMissing(host=server.host, names=", ".join(missing))
    with _certain(context, changes, replace(state, writes=Writes.ON)) as keep:
        written = push(server, changes, done=keep, accept_missing=accept_missing)
    context.out.line(_("Written to NetBox: {count} objects.").format(count=written))
    return {"written_there": written, "writes": Writes.ON.value}


def _may_write(context: Context, state: SyncState) -> bool:
    """Whether a person wants it written. ``--yes`` is no answer to the first difference: nobody has seen it yet."""
    if state.writes is Writes.OFF and (context.yes or not sys.stdin.isatty()):
        _keep(context, replace(state, writes=Writes.SHOWN))
        context.out.line(_("This is the first difference; nothing was written to NetBox. Look at it and repeat."))
        return False
    context.confirm(_("Write this to NetBox?"))
    return True


@contextmanager
def _certain(context: Context, changes: Sequence[Outgoing], state: SyncState) -> Iterator[Callable[[Any], None]]:
    """Notes each batch here once it is certain there; what is not done is said, here and in the store."""
    done = 0

    def keep(batch: Any) -> None:
        nonlocal done
        done += len(batch.links)
        now = context.world.clock.now()
        gone = [replace(one, missing_since=now) for one in batch.missing]
        with context.world.transaction() as books:
            books.netbox.put_links(context.tenant, (*batch.links, *gone))
        for one in batch.foreign:
            context.out.warn(
                _("Somebody else had changed {what} in NetBox; Kahn's value was written.").format(what=one)
            )
        for one in batch.missing:
            context.out.warn(_("{type} {id} is no longer in NetBox.").format(type=one.type, id=one.id))

    _keep(context, replace(state, complete=False, told=_("writing to NetBox was not finished")))
    try:
        yield keep
    except ExpectedError as error:
        facts = {"done": done, "all": len(changes), "code": error.code}
        told = _("{done} of {all} objects written, then {code}").format(**facts)
        _keep(context, replace(state, complete=False, told=told))
        raise
    _keep(context, replace(state, complete=True, told=""))


def _keep(context: Context, state: SyncState) -> None:
    with context.world.transaction() as books:
        before = books.netbox.state(context.tenant)
        if before != state:
            books.netbox.set_state(context.tenant, state)


# --------------------------------------------------------------------------- showing


def _show_inward(context: Context, found: Inward) -> None:
    out = context.out
    out.line(_("From NetBox:"))
    if found.refusals:
        out.line(_("  refused: {count}").format(count=len(found.refusals)))
        examples(context, [refused_line(one) for one in found.refusals])
    for step in found.intake.steps:
        show_changes(context, step.changes)
    if found.missing:
        out.line(_("  no longer there: {count}").format(count=len(found.missing)))
        examples(context, [f"- {one.type} {one.id} ({one.asset})" for one in found.missing])
    if found.denied:
        out.line(_("  left out, for the token may not see: {lists}").format(lists=", ".join(found.denied)))
    if found.planned:
        out.line(_("  changed after planning: {names}").format(names=", ".join(found.planned)))
    if found.is_empty and not found.missing:
        out.line(_("  nothing new"))


def _show_outward(context: Context, changes: Sequence[Outgoing]) -> None:
    context.out.line(_("To NetBox: {count} objects").format(count=len(changes)))
    lines = [
        f"{one.name}: " + ", ".join(f"{name} {one.link.own.get(name)} -> {value}" for name, value in one.fields.items())
        for one in changes
        if one.fields
    ]
    examples(context, [*lines, *(f"{one.name}: [{one.note[0]}] {one.note[1]}" for one in changes if one.note[0])])


def _show_state(context: Context, state: SyncState) -> None:
    if not state.complete:
        context.out.line(_("The last sync is not complete: {told}").format(told=state.told))
    words = {Writes.OFF: _("off"), Writes.SHOWN: _("off; shown once"), Writes.ON: _("on")}
    context.out.line(_("Writing to NetBox: {state}").format(state=words[state.writes]))


def _inward_as_json(found: Inward) -> dict[str, Any]:
    return {
        "in": [step_as_json(step) for step in found.intake.steps],
        "missing": [{"type": one.type, "id": one.id, "asset": one.asset} for one in found.missing],
        "changed_after_planning": list(found.planned),
        "refused": len(found.refusals),
        "denied": list(found.denied),
    }


def _outward_as_json(changes: Iterable[Outgoing]) -> dict[str, Any]:
    return {
        "out": [
            {"name": one.name, "type": one.link.type, "id": one.link.id, "fields": one.fields, "note": one.note[1]}
            for one in changes
        ]
    }


def _state_as_json(state: SyncState) -> dict[str, Any]:
    return {"complete": state.complete, "told": state.told, "writes": state.writes.value, "read_at": state.read_at}
