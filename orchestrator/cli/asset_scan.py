"""`kahn asset scan`: read the host keys machines show, compare, and write those that a person trusts."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from inventory.model import name_key
from orchestrator.actions.scan_keys import KeyReader, NotScanned, scan_keys, select_machines, trust_keys
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.core.host_keys import Finding, KeyAnswer, Verdict, fingerprint, named_key
from orchestrator.spoken import one_line, spoken
from orchestrator.texts import _
from orchestrator.wiring import read_host_keys

NEEDS_PERSON, NOT_REACHED = 4, 7
PINNED = "=SHA256:"


def scan(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME|FILTER", help=_("Names (with * and ?) or terms such as kind=server.")),
    ] = None,
    replace: Annotated[
        list[str] | None,
        typer.Option(
            "--replace",
            metavar="NAME[=SHA256:...]",
            help=_("Replace this machine's changed key; asks, unless the right new fingerprint is given with it."),
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show what the machines show."))] = False,
) -> None:
    """Read the host keys that machines show; new ones are written once confirmed, changed ones never by themselves."""
    context = context_of(ctx)
    with context.world.store.reading() as books:
        snapshot = books.assets.snapshot(context.tenant)
        profiles = {one.name: one for one in books.tenants.access(context.tenant)}
    machines = select_machines(snapshot, words or ())
    wanted = _replacements(replace or (), {name_key(one.name) for one in machines})
    findings = scan_keys(snapshot, machines, profiles=profiles, read=_reader(context, count=len(machines)))
    _show(context, findings)
    trusted = () if dry_run else (*_new(context, findings), *_replaced(context, findings, wanted))
    if trusted:
        with context.world.transaction() as books:
            trust_keys(books, context.tenant, trusted, at=context.world.clock.now())
    _conclude(context, findings, trusted)


def _reader(context: Context, *, count: int) -> KeyReader:
    """Reads the keys and shows on a terminal how many have answered."""

    def read(doors: Sequence[Any]) -> Sequence[KeyAnswer]:
        if context.json or not sys.stdout.isatty():
            return read_host_keys(doors)
        answered = Counter[str]()
        with context.out.console.status("") as shown:

            def tell(answer: KeyAnswer) -> None:
                answered["all"] += 1
                shown.update(_("{number} of {count} machines asked").format(number=answered["all"], count=count))

            return read_host_keys(doors, tell=tell)

    return read


def _replacements(words: Iterable[str], names: set[str]) -> dict[str, str]:
    """Name key of each machine whose key may be replaced, with the fingerprint that was given (or empty).

    Raises NotScanned.
    """
    found: dict[str, str] = {}
    for word in words:
        name, is_pinned, rest = word.rpartition(PINNED)
        if not is_pinned:
            name, rest = word, ""
        if name_key(name) not in names:
            raise NotScanned(name=name)
        found[name_key(name)] = f"SHA256:{rest.rstrip('=')}" if is_pinned else ""
    return found


# --------------------------------------------------------------------------- asking


def _new(context: Context, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The new keys, once a person trusts them. Raises NotConfirmed."""
    new = tuple(one for one in findings if one.verdict is Verdict.NEW)
    if new:
        context.confirm(
            _("Have you compared the fingerprints, and trust these {count} new keys?").format(count=len(new))
        )
    return new


def _replaced(context: Context, findings: Iterable[Finding], wanted: dict[str, str]) -> tuple[Finding, ...]:
    """The changed keys that a person replaces, each for itself; ``--yes`` is no answer here."""
    changed = {name_key(one.asset.name): one for one in findings if one.verdict is Verdict.CHANGED}
    return tuple(one for name, one in changed.items() if name in wanted and _may_replace(context, one, wanted[name]))


def _may_replace(context: Context, one: Finding, pinned: str) -> bool:
    facts = {"name": one.asset.name, "before": named_key(one.before), "after": named_key(one.after)}
    if pinned:
        if pinned != fingerprint(one.after):
            context.out.warn(_("{name} shows {after}, which is not the fingerprint given; kept.").format(**facts))
        return pinned == fingerprint(one.after)
    if context.json or not sys.stdin.isatty():
        return False
    question = _("{name}: replace the key\n  {before}\nby\n  {after}\nDo you know why it changed?").format(**facts)
    return typer.confirm(harmless(question))


# --------------------------------------------------------------------------- showing


def _show(context: Context, findings: Iterable[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in (_("name"), _("address"), _("verdict"), _("fingerprint or reason")):
        table.add_column(heading, overflow="fold")
    for one in findings:
        cells = (one.asset.name, one.asset.text("address"), _word(one.verdict), _told(one))
        table.add_row(*(Text(harmless(cell)) for cell in cells))
    context.out.rich(table)


def _told(one: Finding) -> str:
    if one.trouble is not None:
        return one_line(spoken(one.trouble.told))
    lines = [named_key(one.after)]
    if one.verdict is Verdict.CHANGED:
        lines.insert(0, _("known: {key}").format(key=named_key(one.before)))
        lines[1] = _("shown: {key}").format(key=lines[1])
    if one.twins:
        lines.append(_("the very same key as {names}").format(names=one_line(", ".join(one.twins[:5]))))
    return "\n".join(lines)


def _word(verdict: Verdict) -> str:
    words = {
        Verdict.NEW: _("new"),
        Verdict.SAME: _("same"),
        Verdict.CHANGED: _("CHANGED"),
        Verdict.FAILED: _("no key"),
    }
    return words[verdict]


def _conclude(context: Context, findings: Sequence[Finding], trusted: Sequence[Finding]) -> None:
    counts = Counter(one.verdict for one in findings)
    kept = [one for one in findings if one.verdict is Verdict.CHANGED and one not in trusted]
    context.out.json(
        {
            "machines": [_as_json(one, is_written=one in trusted) for one in findings],
            "counts": {verdict.value: counts[verdict] for verdict in Verdict},
            "written": len(trusted),
        }
    )
    context.out.line(
        _(
            "Machines: {count}, new {new}, same {same}, changed {changed}, without a key {failed}; written {written}."
        ).format(count=len(findings), written=len(trusted), **{verdict.value: counts[verdict] for verdict in Verdict})
    )
    for one in kept:
        context.out.line(
            _("{name}: kept. Find out why it changed; then: kahn asset scan {name} --replace {name}").format(
                name=shlex.quote(one.asset.name)
            )
        )
    if kept:
        raise typer.Exit(NEEDS_PERSON)
    if counts[Verdict.FAILED]:
        raise typer.Exit(NOT_REACHED)


def _as_json(one: Finding, *, is_written: bool) -> dict[str, Any]:
    return {
        "name": one.asset.name,
        "id": one.asset.id,
        "address": one.asset.text("address"),
        "via": one.via,
        "verdict": one.verdict.value,
        "key": one.after,
        "fingerprint": fingerprint(one.after),
        "known_fingerprint": fingerprint(one.before),
        "same_key_as": one.twins,
        "cause": one.trouble.code if one.trouble else "",
        "says": one_line(spoken(one.trouble.told)) if one.trouble else "",
        "written": is_written,
    }
