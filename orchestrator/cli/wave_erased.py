"""``kahn wave erased``: sign that old machines were erased, with the certificate; there is no way back afterwards."""

from __future__ import annotations

import hashlib
import stat
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from inventory.errors import ExpectedError
from orchestrator.actions.record import wave_at
from orchestrator.actions.record_erasure import record_erasure
from orchestrator.actions.sign import Intent
from orchestrator.actions.take_back import asset_named
from orchestrator.cli.context import context_of
from orchestrator.cli.wave import As, Key, KeyFile, keyboard_of
from orchestrator.core.retention import Erasure, check_erasable, local_day, old_machine
from orchestrator.core.wave import ActKind
from orchestrator.spoken import one_line
from orchestrator.texts import _

BLOCK = 1 << 20
LONGEST_NAME = 120


class NoCertificate(ExpectedError):
    """The certificate of an erasure that proves nothing."""

    code, says = "CLI-031", "{file} is no certificate: {why}."
    remedy = "Give the document that whoever erased the machines signed, as one file."


class ErasedHow(ExpectedError):
    """An erasure of which nobody says who did it, and how."""

    code, says = "CLI-032", "Of an erasure it must be said who did it, and how."
    remedy = "Give --by WHO and --how HOW, such as: --by 'Muster GmbH' --how 'DIN 66399 H-4'."


class BadDay(ExpectedError):
    """A day that cannot be read."""

    code, says = "CLI-033", "{given!r} is no day."
    remedy = "Write year, month and day, such as 2027-03-01."


def erased(
    ctx: typer.Context,
    wave: Key,
    assets: Annotated[list[str], typer.Argument(help="Assets whose old machine was erased; no other one comes along.")],
    *,
    certificate: Annotated[Path, typer.Option(help="The certificate; its name and SHA-256 are kept, not the file.")],
    by: Annotated[str, typer.Option(help="Who erased them, such as a company; can be redacted.")],
    how: Annotated[str, typer.Option(help="How, such as: overwritten once, DIN 66399 H-4; can be redacted.")],
    on: Annotated[str, typer.Option(help="The day it was done, such as 2027-03-01; else today.")] = "",
    person: As = "",
    key: KeyFile = None,
) -> None:
    """Sign that old machines were erased after their retention time. There is no way back for them afterwards."""
    kahn = context_of(ctx)
    reason = _who_and_how(by, how)
    keyboard = keyboard_of(kahn, person, key)
    with kahn.world.store.reading() as books:
        row, progress = wave_at(books, kahn.tenant, wave)
    today = local_day(kahn.world.clock.now(), row.content)
    day = _day(on) if on else today
    named = tuple(dict.fromkeys(asset_named(row.content, one) for one in assets))
    check_erasable(row.content, progress, named, on=day, today=today)
    erasure = Erasure(on=day, certificate=_name(certificate), sha256=_digest(certificate))
    kahn.out.line(_("Certificate {name}, SHA-256 {sha256}.").format(name=erasure.certificate, sha256=erasure.sha256))
    kahn.out.line(_("Erased on {day} by {who}; how: {how}").format(day=erasure.on, who=one_line(by), how=one_line(how)))
    for asset in named:
        machine = old_machine(row.content, asset)
        kahn.out.line(f"  {one_line(row.content.move(asset).name)}: {one_line(machine)}")
    kahn.confirm(_("Sign that {count} old machines were erased? Nothing of them can be taken back afterwards.").format(
        count=len(named)))  # fmt: skip
    intent = Intent(kind=ActKind.ERASED, reason=reason, assets=named)
    with kahn.world.desk() as desk:
        fresh = desk.books.waves.get(kahn.tenant, wave)
        closed = record_erasure(desk, fresh, keyboard=keyboard, intent=intent, erasure=erasure)
    kahn.out.line(
        _("Signed. Records closed in the inventory: {count}. Next: `kahn asset due --all`.").format(count=closed)
    )
    kahn.out.json({"wave": wave, "assets": named, "erased": erasure, "closed": closed})


def _who_and_how(by: str, how: str) -> str:
    """Both as the signature's reason. Raises ErasedHow."""
    if not by.strip() or not how.strip():
        raise ErasedHow()
    return f"{by.strip()}: {how.strip()}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise BadDay(given=text[:40]) from cause


def _name(path: Path) -> str:
    name = one_line(path.name, longest=LONGEST_NAME)
    if not name.strip():
        raise NoCertificate(file=path, why="the file has no name")
    return name


def _digest(path: Path) -> str:
    """SHA-256 of the file. Raises NoCertificate."""
    digest = hashlib.sha256()
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise NoCertificate(file=path, why="it is no plain file")
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
        if not path.stat().st_size:
            raise NoCertificate(file=path, why="it is empty")
    except OSError as cause:
        raise NoCertificate(file=path, why=cause.strerror or "it cannot be read") from cause
    return digest.hexdigest()
