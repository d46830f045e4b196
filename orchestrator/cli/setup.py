"""``kahn init`` and ``kahn doctor``: a state directory to work in, and whether everything it needs is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.actions.desk import Desk
from orchestrator.actions.sign import checked_acts
from orchestrator.cli.context import Context, context_of
from orchestrator.cli.notice import nobody_is_called
from orchestrator.settings import CONFIG_NAME, example_config, find_home, read_settings
from orchestrator.supervisor.boundary import boundary
from orchestrator.texts import _
from orchestrator.wiring import prepare_store


class CannotInit(ExpectedError):
    """No state directory can be made there."""

    code, says = "CLI-008", "No state directory can be made at {home}: {why}."
    remedy = "Name another directory, or make this one writable for your account."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor: ``verdict`` is ok, warning or broken."""

    what: str
    verdict: str
    says: str
    remedy: str = ""


def init(
    ctx: typer.Context,
    directory: Annotated[
        Path | None, typer.Argument(help="State directory to make (else --home, KAHN_HOME or here).")
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Print a configuration with every setting and stop.")
    ] = False,
) -> None:
    """Make (or upgrade) a state directory with its configuration and database."""
    kahn = context_of(ctx)
    if example:
        kahn.out.line(example_config())
        kahn.out.json({"example": example_config()})
        return
    home = directory.resolve() if directory else find_home(kahn.home)
    config = home / CONFIG_NAME
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not config.exists():
            _write_privately(config, example_config())
    except OSError as error:
        raise CannotInit(home=home, why=error.strerror or error) from error
    settings = read_settings(home)
    prepare_store(settings)
    for name in ("runs", "trees", "runbooks"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    kahn.out.line(
        _("Ready: {home}. Next: `kahn --home {home} tenant add NAME`, or set KAHN_HOME={home}.").format(home=home)
    )
    kahn.out.json({"home": str(home)})


def _write_privately(path: Path, text: str) -> None:
    """The configuration may hold a database's password."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)


def doctor(ctx: typer.Context) -> None:
    """Look at everything Kahn needs, and say what to do about what is missing."""
    kahn = context_of(ctx)
    findings = tuple(_findings(kahn))
    signs = {"ok": "ok     ", "warning": "warning", "broken": "BROKEN "}
    for one in findings:
        kahn.out.line(f"{signs[one.verdict]}  {one.what}: {one.says}")
        if one.remedy:
            kahn.out.line(f"         {one.remedy}")
    kahn.out.json(findings)
    broken = any(one.verdict == "broken" for one in findings)
    raise typer.Exit(
        9 if any(one.what.startswith("journal") and one.verdict == "broken" for one in findings) else 7 * broken
    )


def _findings(kahn: Context) -> Iterator[Finding]:
    yield from _tools(kahn)
    yield _systemd()
    yield from _home(kahn.settings.home)
    yield from _store(kahn)


def _tools(kahn: Context) -> Iterator[Finding]:
    for name in ("ssh", "ssh-keygen"):
        found = shutil.which(name)
        remedy = "" if found else _("Install the package openssh-client.")
        yield Finding(what=name, verdict="ok" if found else "broken", says=found or _("missing"), remedy=remedy)
    playbook = kahn.settings.ansible_playbook
    try:
        with boundary("doctor.ansible.spawn"):
            answer = subprocess.run([playbook, "--version"], capture_output=True, text=True, timeout=60, check=True)
        yield Finding(what="ansible-playbook", verdict="ok", says=answer.stdout.splitlines()[0])
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        remedy = _("Set `ansible_playbook` in kahn.toml, or install Kahn again.")
        yield Finding(what="ansible-playbook", verdict="broken", says=str(error), remedy=remedy)


def _systemd() -> Finding:
    if Path("/run/systemd/system").exists():
        return Finding(what="supervisors", verdict="ok", says=_("each gets a systemd scope of its own"))
    return Finding(
        what="supervisors",
        verdict="warning",
        says=_("no systemd here: a supervisor is an ordinary process in a session of its own"),
        remedy=_("It survives a closed terminal, but not a service manager that kills its whole group."),
    )


def _home(home: Path) -> Iterator[Finding]:
    mode = home.stat().st_mode & 0o777
    private = not mode & 0o077
    yield Finding(
        what="state directory",
        verdict="ok" if private else "warning",
        says=f"{home} ({mode:o})",
        remedy="" if private else _("Make it private: chmod 700 {home}").format(home=home),
    )
    free = shutil.disk_usage(home).free / 2**30
    enough = free >= 1
    says = _("{free:.1f} GiB free").format(free=free)
    remedy = "" if enough else _("Free at least 1 GiB; runs need room for their spool.")
    yield Finding(what="disk", verdict="ok" if enough else "broken", says=says, remedy=remedy)


def _store(kahn: Context) -> Iterator[Finding]:
    try:
        with kahn.world.look() as desk:
            books = desk.books
            tenants = books.tenants.all()
            yield Finding(what="database", verdict="ok", says=_("{count} tenants").format(count=len(tenants)))
            for tenant in tenants:
                chain = books.journal.verify(tenant)
                whole = not chain.broken_at
                says = _("{count} entries, chain whole").format(count=chain.entries)
                broken = _("broken at entry {seq}: {why}").format(seq=chain.broken_at, why=chain.why)
                remedy = "" if whole else _("Keep a copy of the database, change nothing, and call the auditor.")
                verdict = "ok" if whole else "broken"
                yield _acts(desk, tenant)
                yield Finding(what=f"journal {tenant}", verdict=verdict, says=says if whole else broken, remedy=remedy)
                yield _calls(kahn, tenant)
    except ExpectedError as error:
        yield Finding(what="database", verdict="broken", says=str(error))


def _calls(kahn: Context, tenant: TenantId) -> Finding:
    """Whether anybody is called for the tenant."""
    what = f"contacts {tenant}"
    try:
        count = len(kahn.world.contacts().of(tenant))
    except ExpectedError as error:
        return Finding(what=what, verdict="broken", says=str(error))
    if not count:
        return Finding(what=what, verdict="warning", says=_("nobody is called"), remedy=nobody_is_called(tenant))
    return Finding(what=what, verdict="ok", says=_("{count} people are called").format(count=count))


def _acts(desk: Desk, tenant: TenantId) -> Finding:
    """Whether every act on every wave of the tenant carries a genuine signature."""
    what, remedy = f"journal {tenant}, acts", _("Keep a copy of the database, change nothing, and call the auditor.")
    try:
        acts = [act for wave in desk.books.waves.all(tenant) for act in checked_acts(desk, wave)]
    except ExpectedError as error:
        return Finding(what=what, verdict="broken", says=str(error), remedy=remedy)
    forged = sum(not act.genuine for act in acts)
    if forged:
        says = _("{count} acts carry no genuine signature").format(count=forged)
        return Finding(what=what, verdict="broken", says=says, remedy=remedy)
    return Finding(what=what, verdict="ok", says=_("{count} signatures genuine").format(count=len(acts)))
