"""``kahn notice``: who is called, what became of each call, and the answer that somebody has taken it on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.actions.call_people import UnknownContact, acknowledge
from orchestrator.actions.desk import Desk
from orchestrator.actions.raise_alarms import alarm_undriven
from orchestrator.cli.calling import LAST_CALLS_S
from orchestrator.cli.context import Context, NoPerson, context_of
from orchestrator.core.contacts_file import EXAMPLE
from orchestrator.core.notices import Call, Contact, Letter, Notice, NoticeKind, in_turn
from orchestrator.core.refusals import StoreBusy, StoreUnavailable
from orchestrator.spoken import age, cause_says, one_line
from orchestrator.texts import _, use_language
from orchestrator.wiring import store_watch

app = typer.Typer(no_args_is_help=True)
NEEDS_A_PERSON = 4


def kind_word(kind: NoticeKind) -> str:
    """What a notice is about, in words."""
    words = {
        NoticeKind.HELD: _("wave held"),
        NoticeKind.MISSED: _("wave missed"),
        NoticeKind.NEEDS_PERSON: _("wave needs a person"),
        NoticeKind.ASSET_NEEDS_PERSON: _("assets need a person"),
        NoticeKind.ROLLED_BACK: _("wave rolled back"),
        NoticeKind.NOT_STARTING: _("wave does not start"),
        NoticeKind.LAST_MOMENT: _("last moment near"),
        NoticeKind.OUTAGE: _("outage near its limit"),
        NoticeKind.UNDRIVEN: _("nobody drives"),
        NoticeKind.STORE_AWAY: _("database away"),
        NoticeKind.AT_DESK: _("work at the desk"),
    }
    return words[kind]


@app.command("list")
def list_notices(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were acknowledged or are over.")] = False,
) -> None:
    """What people are called for, and whether they were reached."""
    kahn = context_of(ctx)
    with kahn.world.look() as desk:
        desk.books.tenants.policy(kahn.tenant)
        notices = [one for one in desk.books.notices.all(kahn.tenant) if everything or one.closed_at is None]
        calls = {one.number: desk.books.notices.calls(one.tenant, one.number) for one in notices}
        now = desk.now
    table = Table(box=None, header_style="dim")
    for heading in (_("notice"), _("since"), _("wave"), _("about"), _("cause"), _("calls"), _("answer")):
        table.add_column(heading, overflow="fold")
    for one in notices:
        told = "\n".join(call_words(call) for call in calls[one.number]) or _("nobody yet")
        table.add_row(
            one.id, age(one.at, now), one.wave, kind_word(one.kind), _cause(one), one_line(told), _answer(one)
        )
    if notices:
        kahn.out.rich(table)
    else:
        kahn.out.line(_("No notice is open."))
    kahn.out.json([{"notice": one, "id": one.id, "calls": calls[one.number]} for one in notices])


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCalls:
    """A notice that nobody has acknowledged, and what became of its calls."""

    notice: Notice
    calls: tuple[Call, ...]


def open_calls(desk: Desk, tenant: TenantId) -> tuple[OpenCalls, ...]:
    """The tenant's open notices, newest first."""
    notices = (one for one in desk.books.notices.all(tenant) if one.closed_at is None)
    return tuple(OpenCalls(notice=one, calls=desk.books.notices.calls(tenant, one.number)) for one in notices)


def show_calls(kahn: Context, calls: Sequence[OpenCalls], *, warn: bool, tenant: TenantId) -> None:
    """On the status page: who was called, and loudly whom nobody could reach."""
    for one in calls:
        told = "; ".join(call_words(call) for call in one.calls) or _("nobody was called yet")
        facts = {"id": one.notice.id, "about": kind_word(one.notice.kind), "told": told}
        kahn.out.line(_("  notice {id}, {about}: {told}").format(**facts))
    if calls:
        kahn.out.line(_("  Whoever takes it on says so: `kahn notice ack ID --as NAME`."))
    if warn and not kahn.world.contacts().of(tenant):
        kahn.out.line("  " + nobody_is_called(tenant))


def _cause(notice: Notice) -> str:
    if notice.kind is NoticeKind.AT_DESK:
        return one_line(notice.cause)
    return cause_says(notice.cause) if notice.cause and notice.kind is not NoticeKind.UNDRIVEN else "-"


def call_words(call: Call) -> str:
    """How one call stands."""
    if call.delivered_at is not None:
        return _("{contact}: delivered").format(contact=call.contact)
    return _("{contact}: NOT delivered after {tries} tries: {why}").format(
        contact=call.contact, tries=call.tries, why=one_line(call.trouble)
    )


def _answer(notice: Notice) -> str:
    if notice.closed_at is None:
        return _("none yet")
    return _("over") if notice.closed_by == "kahn" else notice.closed_by


@app.command()
def ack(
    ctx: typer.Context,
    notice: Annotated[str, typer.Argument(help="Notice, such as stadt-142.")],
    person: Annotated[str, typer.Option("--as", help="Who has taken it on (else KAHN_PERSON).")] = "",
) -> None:
    """Say that you have taken it on: nobody else is called for it."""
    kahn = context_of(ctx)
    name = person or kahn.settings.person
    if not name:
        raise NoPerson()
    with kahn.world.desk() as desk:
        who = desk.books.people.find(kahn.tenant, name)
        found = acknowledge(desk, kahn.tenant, notice, person=who.id)
    kahn.out.line(_("Acknowledged. Next: `kahn wave show {wave}`.").format(wave=found.wave))
    kahn.out.json({"acknowledged": found.id, "by": who.id})


@app.command()
def contacts(ctx: typer.Context) -> None:
    """Who is called for this tenant, in which order, and how."""
    kahn = context_of(ctx)
    found = in_turn(kahn.world.contacts().of(kahn.tenant))
    table = Table(box=None, header_style="dim")
    for heading in (_("contact"), _("after"), _("channel"), _("to"), _("language")):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(one.name, f"{one.after_min} min", one.channel, one.to, one.language)
    if found:
        kahn.out.rich(table)
    else:
        kahn.out.line(nobody_is_called(kahn.tenant))
    kahn.out.json(found)


@app.command("send")
def send_calls(
    ctx: typer.Context,
    patience: Annotated[
        int, typer.Option(help="Seconds that a driver may be away before people are called.", min=0, max=600)
    ] = 20,
) -> None:
    """Make the calls that are due while nobody drives, and call people because nobody does. For a timer.

    While somebody drives, they make the calls and this does nothing. Ends with 4 when a wave lacks a driver, with
    7 when the database is away: people are called for that too, once it lasts for a minute.
    """
    kahn = context_of(ctx)
    try:
        driven = _driven(kahn, patience_s=patience)
    except (StoreUnavailable, StoreBusy):
        watch = store_watch(kahn.settings, tell=kahn.out.trouble)
        watch.is_away()
        watch.wait(within_s=LAST_CALLS_S)
        raise
    if driven is not False:
        kahn.out.line(_("Somebody drives, or it cannot be told: they make the calls."))
        kahn.out.json({"driven": driven, "waves": []})
        return
    with kahn.world.look() as desk:
        tenants = desk.books.tenants.all()
    lacking = [f"{tenant} {key}" for tenant in tenants for key in _alarmed(kahn, tenant)]
    kahn.world.switchboard(tell=kahn.out.trouble).finish(within_s=LAST_CALLS_S)
    for one in lacking:
        kahn.out.line(_("Nobody drives {wave}. Next: start `kahn serve`.").format(wave=one_line(one)))
    if not lacking:
        kahn.out.line(_("Nobody drives, and no wave needs it now."))
    kahn.out.json({"driven": False, "waves": lacking})
    if lacking:
        raise typer.Exit(NEEDS_A_PERSON)


def _alarmed(kahn: Context, tenant: TenantId) -> tuple[str, ...]:
    """Waves that lack a driver; a tenant that cannot be read is told and holds no other one up."""
    try:
        with kahn.world.desk() as desk:
            return alarm_undriven(desk, tenant)
    except ExpectedError as trouble:
        kahn.out.trouble(trouble)
        return ()


def _driven(kahn: Context, *, patience_s: int) -> bool | None:
    """False when nobody drove at any moment of that time: a service that restarts is no reason to wake people."""
    for second in range(patience_s + 1):
        with kahn.world.look() as desk:
            driven = desk.books.driven()
        if driven is not False:
            return driven
        if second < patience_s:
            time.sleep(1)
    return False


def nobody_is_called(tenant: TenantId) -> str:
    """Said loudly: an alarm that reaches nobody is none."""
    return _("Nobody is called for {tenant}: notices.toml names no contact. `kahn notice example` shows how.").format(
        tenant=tenant
    )


@app.command()
def example(ctx: typer.Context) -> None:
    """A commented notices.toml with every entry."""
    kahn = context_of(ctx)
    kahn.out.line(EXAMPLE)
    kahn.out.json({"notices.toml": EXAMPLE})


@app.command()
def test(
    ctx: typer.Context,
    contact: Annotated[str, typer.Argument(help="Contact, as notices.toml names it.")],
) -> None:
    """Send a message of trial through the contact's channel, now."""
    kahn = context_of(ctx)
    found = next((one for one in kahn.world.contacts().of(kahn.tenant) if one.name == contact), None)
    if found is None:
        raise UnknownContact(tenant=kahn.tenant, contact=one_line(contact, longest=60))
    begun = kahn.world.clock.now()
    kahn.world.channels().send(found.channel, _trial(kahn, found))
    took = (kahn.world.clock.now() - begun) / timedelta(milliseconds=1)
    kahn.out.line(
        _("Delivered to {contact} by {channel} in {took} ms. Ask them whether it arrived.").format(
            contact=found.name, channel=found.channel, took=round(took)
        )
    )
    kahn.out.json({"contact": found.name, "channel": found.channel, "took_ms": round(took)})


def _trial(kahn: Context, contact: Contact) -> Letter:
    use_language(contact.language)
    try:
        subject = _("[Kahn] {tenant}: this is a trial").format(tenant=kahn.tenant)
        text = _("Somebody tries whether you can be reached. Nothing has happened; you need not do anything.")
    finally:
        use_language(kahn.settings.language)
    now = kahn.world.clock.now()
    return Letter(
        id=f"{kahn.tenant}-trial-{int(now.timestamp())}",
        tenant=kahn.tenant,
        kind="trial",
        wave="",
        at=now,
        to=contact.to,
        subject=subject,
        text=text,
    )
