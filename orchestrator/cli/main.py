"""``kahn``: one command line. Errors that are expected become two lines and an exit code; ours become a report."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from inventory.errors import ExpectedError
from orchestrator.cli import (
    access,
    asset,
    backup,
    gate,
    lab,
    netboot,
    notice,
    person,
    plan,
    plan_delay,
    plan_edit,
    plan_pictures,
    plan_questions,
    plan_tasks,
    report,
    runbook,
    sync,
    tenant,
    wave_control,
)
from orchestrator.cli.context import Context, Out
from orchestrator.cli.inventory import inventory
from orchestrator.cli.runbook_join import join
from orchestrator.cli.runbook_test import try_runbook
from orchestrator.cli.runbook_times import times
from orchestrator.cli.serve import serve
from orchestrator.cli.setup import doctor, init
from orchestrator.cli.status import status
from orchestrator.cli.stop import stop
from orchestrator.cli.town import town
from orchestrator.cli.wave_erased import erased
from orchestrator.cli.wave_handover import handover
from orchestrator.cli.wave_probe import probe
from orchestrator.cli.wave_rehearse import rehearse
from orchestrator.texts import _, error_lines, use_language

OUR_BUG = 70
CLOSED_VIEW = 130
WITH_VALUE = ("--tenant", "--lang", "--home")
FLAGS = ("--json", "--plain", "--yes", "-y", "--verbose", "-v")
OWN_OPTIONS = ("lab",)
"""Nouns whose commands have options of the same names themselves."""

BESIDE_PLAN = (plan_edit, plan_delay, plan_pictures, plan_questions, plan_tasks)
"""Further commands of ``kahn plan``: these files put theirs beside those of plan.py."""

app = typer.Typer(
    name="kahn",
    help="Moves a town's IT into a data centre: inventory, plan, approval, waves, rollback, report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(init)
app.command()(doctor)
app.command()(status)
app.command()(serve)
app.command()(stop)
app.command()(town)
app.command()(inventory)
app.add_typer(tenant.app, name="tenant", help="Tenants and what each allows.")
app.add_typer(person.app, name="person", help="People who sign: pseudonyms, keys, deputies.")
app.add_typer(access.app, name="access", help="How the administrator lets Kahn reach machines.")
app.add_typer(asset.app, name="asset", help="The inventory: import, scan, list, show.")
app.add_typer(sync.app, name="sync", help="Stay in step with neighbours: NetBox.")
app.add_typer(plan.app, name="plan", help="Plans: propose, show, explain, check.")
wave_control.app.command()(rehearse)
wave_control.app.command()(handover)
wave_control.app.command()(erased)
wave_control.app.command()(probe)
app.add_typer(wave_control.app, name="wave", help="Waves: check, approve, run, watch, stop, roll back.")
app.add_typer(gate.app, name="gate", help="Gates that people open: who confirmed what.")
runbook.app.command()(join)
runbook.app.command()(times)
runbook.app.command("test")(try_runbook)
app.add_typer(runbook.app, name="runbook", help="Runbooks: check and show.")
app.add_typer(report.app, name="report", help="Reports for people who decide.")
app.add_typer(notice.app, name="notice", help="Notices: who is called, and what was answered.")
app.add_typer(backup.app, name="backup", help="Everything that Kahn knows in one file, and back.")
app.add_typer(netboot.app, name="netboot", help="A boot server that installs bare machines.")
app.add_typer(lab.app, name="lab", help="Throw-away real hosts on this machine, for rehearsal.")


@app.callback()
def options(
    ctx: typer.Context,
    tenant: Annotated[str, typer.Option(help="Tenant to work for.")] = "",
    home: Annotated[Path | None, typer.Option(help="State directory (else KAHN_HOME).")] = None,
    lang: Annotated[str, typer.Option(help="Language of texts: en or de.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Answer as one JSON document.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines, no colours, no screen.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; I have looked.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show tracebacks of Kahn's own mistakes.")] = False,
) -> None:
    """Global options; they may stand anywhere in the line."""
    kahn = Context(home=home, tenant_name=tenant, json=json, plain=plain, yes=yes, verbose=verbose)
    ctx.obj = kahn
    use_language(lang or os.environ.get("KAHN_LANG", "") or _configured_language(kahn))


def _configured_language(kahn: Context) -> str:
    try:
        return kahn.settings.language
    except ExpectedError:
        return "en"


def global_first(words: list[str]) -> list[str]:
    """The command line with global options moved to the front, so that they may stand anywhere before ``--``."""
    if _noun(words) in OWN_OPTIONS:
        return words
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            return [*front, *rest, word, *waiting]
        if word in FLAGS or word.startswith(tuple(f"{name}=" for name in WITH_VALUE)):
            front.append(word)
        elif word in WITH_VALUE and (value := next(waiting, None)) is not None:
            front += [word, value]
        else:
            rest.append(word)
    return [*front, *rest]


def _noun(words: list[str]) -> str:
    """The first word that is neither an option nor its value."""
    waiting = iter(words)
    for word in waiting:
        if word in WITH_VALUE:
            next(waiting, None)
        elif not word.startswith("-"):
            return word
    return ""


def main() -> None:
    """Entry point of the command ``kahn``."""
    words = global_first(sys.argv[1:])
    asked = words[: words.index("--")] if "--" in words else words
    as_json, verbose = "--json" in asked, "-v" in asked or "--verbose" in asked
    try:
        code = app(args=words, standalone_mode=False)
    except ExpectedError as error:
        code = _tell(error, as_json=as_json)
    except typer.Abort:
        code = CLOSED_VIEW
    except typer.TyperException as error:
        _show(error)
        _answer(as_json, code="usage", says=str(getattr(error, "message", error)))
        code = error.exit_code
    except KeyboardInterrupt:
        code = CLOSED_VIEW
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception:
        code = _our_bug(as_json=as_json, verbose=verbose)
    sys.exit(code if isinstance(code, int) else 0)


def _show(error: typer.TyperException) -> None:
    """A usage error in its own words, with the usage line where it has one."""
    show = getattr(error, "show", None)
    if show is not None:
        show()
    else:
        sys.stderr.write(f"{error}\n")


def _tell(error: ExpectedError, *, as_json: bool) -> int:
    out = Out(as_json=as_json, is_plain=False)
    says, remedy = error_lines(error)
    out.warn(f"{error.code}: {says}")
    if remedy:
        out.warn(f"  {remedy}")
    _answer(as_json, code=error.code, says=says, remedy=remedy)
    return type(error).exit_code


def _answer(as_json: bool, *, code: str, says: str, remedy: str = "") -> None:
    """An error as the one JSON document of the call, when JSON was asked for."""
    Out(as_json=as_json, is_plain=True).json({"error": {"code": code, "says": says, "remedy": remedy}})


def _our_bug(*, as_json: bool, verbose: bool) -> int:
    """Keep the traceback in a file of the user's own; never lose it, never shout it."""
    import tempfile

    text = traceback.format_exc()
    handle, path = tempfile.mkstemp(prefix="kahn-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
    out = Out(as_json=False, is_plain=False)
    says = _("Kahn made a mistake; nothing was half-written. The report is in {path}.").format(path=path)
    out.warn(says)
    _answer(as_json, code="bug", says=says)
    if verbose:
        out.warn(text)
    return OUR_BUG


if __name__ == "__main__":
    main()
