"""Runbooks on disk: found, read and checked against the schema with line numbers."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

import orchestrator
from inventory.errors import ExpectedError
from orchestrator.adapters.adopted_plays import check_adopted
from orchestrator.adapters.runbook_modules import BOOT_SERVER, modules_of
from orchestrator.adapters.runbook_rules import check_after, check_groups, check_needs, check_order, check_step
from orchestrator.adapters.runbook_said import said
from orchestrator.adapters.runbook_trees import Tree
from orchestrator.adapters.runbook_yaml import Lined, Place, read_lined
from orchestrator.core.likeness import SECTIONS
from orchestrator.core.runbook import (
    Adopted,
    AfterCheck,
    Baseline,
    Effect,
    Need,
    Role,
    RoleSource,
    Runbook,
    RunbookInvalid,
    ServiceCheck,
    Step,
)

SHIPPED = Path(orchestrator.__file__).resolve().parent.parent / "playbooks"
FILE_NAME = "runbook.yml"
MAX_DEADLINE_S = 24 * 3600
LOOK_EVERY_S = 60
RESERVED = frozenset({"library", "module_utils", "plugins", "roles", "collections", "tasks"})
_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_PLAYBOOK = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*\.ya?ml")
_ADOPTED_PLAYBOOK = re.compile(r"adopted(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+\.ya?ml")
_WORD = r"^[a-z][a-z0-9_]{0,30}$"


class RunbookUnknown(ExpectedError):
    """No runbook of that name."""

    code, says = "RBK-002", "There is no runbook {name!r}."
    remedy = "`kahn runbook list` shows those there are; put your own into `runbooks/` of the state directory."
    exit_code = 5


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _one_line(text: str) -> str:
    """People sign for what they read: no text of a runbook may look like several lines, or like nothing."""
    if text and (not text.isprintable() or not text.strip()):
        raise ValueError("one line of printable characters is wanted")
    return text


_Point = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
_Title = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_one_line)]
_Words = Annotated[str, Field(max_length=120), AfterValidator(_one_line)]
_Checklist = Annotated[list[_Point], Field(max_length=20)]


class _Baseline(_Strict):
    on: str
    take: str = ""
    compare: str = ""
    checklist: _Checklist = []
    deadline_s: int = Field(default=300, gt=0, le=MAX_DEADLINE_S)
    takes_s: int = Field(default=0, ge=0, le=MAX_DEADLINE_S)


class _Service(_Strict):
    on: str
    playbook: str
    at_end: str = ""
    deadline_s: int = Field(default=300, gt=0, le=MAX_DEADLINE_S)


class _After(_Strict):
    on: str
    playbook: str
    deadline_s: int = Field(default=300, gt=0, le=MAX_DEADLINE_S)
    takes_s: int = Field(default=0, ge=0, le=MAX_DEADLINE_S)
    ignore: list[str] = Field(default=[], max_length=100)
    leave_out: list[str] = Field(default=[], max_length=len(SECTIONS))


class _Step(_Strict):
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: _Title
    on: str
    effect: Literal["none", "idempotent", "once"]
    kind: Literal["playbook", "manual", "external"] = "playbook"
    checklist: _Checklist = []
    undo_checklist: _Checklist = []
    present: _Words = ""
    playbook: str = ""
    start: str = ""
    verify: str = ""
    undo: str = ""
    probe: str = ""
    deadline_s: int = Field(default=600, gt=0, le=MAX_DEADLINE_S)
    no_return: bool = False
    takes_s: int = Field(default=0, ge=0, le=MAX_DEADLINE_S)
    undo_takes_s: int = Field(default=0, ge=0, le=MAX_DEADLINE_S)
    quiet_s: int = Field(default=0, ge=0, le=MAX_DEADLINE_S)
    every_s: int = Field(default=0, ge=0, le=3600)
    waits_for: list[Annotated[str, Field(pattern=_WORD)]] = Field(default=[], max_length=5)
    waits_s: int = Field(default=0, ge=0, le=MAX_DEADLINE_S)
    reversible_until: str = ""
    only_with: Literal["", "domain"] = ""


class _Adopted(_Strict):
    origin: str = Field(min_length=1, max_length=400)
    groups: list[str] = Field(default=[], max_length=20)
    vault_password_file: str = Field(default="", max_length=400)
    fast: bool = False


_Machine = Literal["asset", "successor", "vault", "gateway", "jump", "database", "tool"]


class _Document(_Strict):
    title: _Title
    ansible: Literal["modern"]
    roles: dict[str, _Machine] = Field(min_length=1, max_length=12)
    needs: dict[str, str | list[str]] = Field(default={}, max_length=12)
    groups: list[str] = Field(default=[], max_length=20)
    baseline: _Baseline
    service: _Service | None = None
    steps: list[_Step] = Field(min_length=1, max_length=60)
    adopted: _Adopted | None = None
    compare_after: _After | None = None
    procedure: bool = False
    retires: bool = False


def is_runbook_name(name: str) -> bool:
    """Whether a runbook's folder may be called so."""
    return bool(_NAME.fullmatch(name)) and name not in RESERVED


def find_runbook(name: str, *, state_dir: Path) -> Path:
    """The folder of a runbook: one's own in the state directory goes before a shipped one. Raises RunbookUnknown."""
    if is_runbook_name(name):
        for shelf in (state_dir / "runbooks", SHIPPED):
            if (shelf / name / FILE_NAME).is_file():
                return shelf / name
    raise RunbookUnknown(name=name[:60])


def known_runbooks(*, state_dir: Path) -> tuple[tuple[str, Path], ...]:
    """Every runbook that find_runbook would find: (name, folder), by name."""
    names = {
        folder.parent.name for shelf in (state_dir / "runbooks", SHIPPED) for folder in shelf.glob(f"*/{FILE_NAME}")
    }
    usable = sorted(name for name in names if is_runbook_name(name))
    return tuple((name, find_runbook(name, state_dir=state_dir)) for name in usable)


def load_runbook(folder: Path, *, shared: Path = SHIPPED) -> Runbook:
    """The runbook in a folder, checked whole, with the digest of everything it may use.

    ``shared`` holds the modules and plugins that all runbooks use. Raises RunbookInvalid.
    """
    name = folder.resolve().name
    if not is_runbook_name(name):
        raise RunbookInvalid(file=str(folder), line=1, what="the folder's name is no runbook name (a-z, 0-9 and -)")
    source = folder / FILE_NAME
    if source.is_symlink() or not source.is_file():
        raise RunbookInvalid(file=str(source), line=1, what="there is no such file, or it is a link")
    tree = Tree.of(folder, shared=shared)
    lined = read_lined(source, shown_as=str(source))
    document = _validated(lined)
    _check_roles(document, lined)
    _check_baseline(document, lined)
    if document.compare_after is not None:
        check_after(document.compare_after, document.baseline.take, lined)
    for number, step in enumerate(document.steps):
        check_step(step, ("steps", number), lined, adopted=document.adopted is not None)
    check_order(document.steps, lined)
    check_needs(document.needs, lined)
    check_groups(document.groups, lined)
    for place, path in _playbooks(document):
        _check_playbook(folder, path, place, lined, adopted=document.adopted)
    runbook = _runbook(name, document, tree.digest)
    return replace(runbook, boots=BOOT_SERVER in modules_of(runbook, folder))


def _validated(lined: Lined) -> _Document:
    try:
        return _Document.model_validate(lined.value)
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: lined.line(one["loc"]))
        raise lined.refuse(first["loc"], said(first, keys=_keys_at(first["loc"]))) from error


def _keys_at(place: Place) -> Collection[str]:
    """What may stand in the part of the document where that place is."""
    parts: dict[str, type[_Strict]] = {
        "steps": _Step,
        "baseline": _Baseline,
        "service": _Service,
        "compare_after": _After,
        "adopted": _Adopted,
    }
    return (parts.get(str(place[0]), _Document) if len(place) > 1 else _Document).model_fields


def _check_roles(document: _Document, lined: Lined) -> None:
    for role in document.roles:
        if not re.fullmatch(_WORD, role):
            raise lined.refuse(("roles", role), f"{role!r} is no role name (a-z, 0-9 and _)")
    if "asset" not in document.roles.values():
        raise lined.refuse(("roles",), "no role is the asset itself")
    if document.retires and "successor" in document.roles.values():
        raise lined.refuse(("retires",), "what retires goes without a successor")
    users: list[tuple[Place, str]] = [(("baseline", "on"), document.baseline.on)]
    if document.service is not None:
        users.append((("service", "on"), document.service.on))
    if document.compare_after is not None:
        users.append((("compare_after", "on"), document.compare_after.on))
    users += [(("steps", number, "on"), step.on) for number, step in enumerate(document.steps)]
    for place, role in users:
        if role not in document.roles:
            raise lined.refuse(place, f"unknown role {role!r}; the roles are {', '.join(document.roles)}")


def _check_baseline(document: _Document, lined: Lined) -> None:
    """Two playbooks, or a person's points."""
    baseline = document.baseline
    if baseline.checklist:
        for word in ("take", "compare"):
            if getattr(baseline, word):
                raise lined.refuse(("baseline", word), f"the baseline is a checklist, so {word!r} makes no sense")
        return
    for word in ("take", "compare"):
        if not getattr(baseline, word):
            raise lined.refuse(("baseline",), f"{word!r} is missing (or 'checklist', for a baseline by hand)")


def _playbooks(document: _Document) -> list[tuple[Place, str]]:
    found: list[tuple[Place, str]] = [
        (("baseline", word), getattr(document.baseline, word))
        for word in ("take", "compare")
        if getattr(document.baseline, word)
    ]
    if document.service is not None:
        found.append((("service", "playbook"), document.service.playbook))
        if document.service.at_end:
            found.append((("service", "at_end"), document.service.at_end))
    if document.compare_after is not None:
        found.append((("compare_after", "playbook"), document.compare_after.playbook))
    for number, step in enumerate(document.steps):
        for word in ("playbook", "start", "verify", "undo", "probe"):
            if getattr(step, word):
                found.append((("steps", number, word), getattr(step, word)))
    return found


def _check_playbook(folder: Path, path: str, place: Place, lined: Lined, *, adopted: _Adopted | None) -> None:
    """A plain file inside the folder that holds plays for all hosts of the run; an adopted one has its own rules."""
    is_adopted = adopted is not None and bool(_ADOPTED_PLAYBOOK.fullmatch(path))
    if not is_adopted and not _PLAYBOOK.fullmatch(path):
        raise lined.refuse(place, f"{path[:80]!r} is no playbook path inside the folder (a-z, 0-9, - and _, .yml)")
    whole = folder / path
    inside = folder.resolve() in whole.resolve().parents
    if whole.is_symlink() or not inside:
        raise lined.refuse(place, f"{path} leads out of the folder")
    if not whole.is_file():
        raise lined.refuse(place, f"there is no playbook {path}")
    if is_adopted and adopted is not None:
        check_adopted(whole, folder=folder / "adopted", groups=adopted.groups)
    else:
        _check_plays(read_lined(whole, shown_as=str(whole), own_tags=True))


def _check_plays(lined: Lined) -> None:
    if not isinstance(lined.value, list) or not lined.value:
        raise lined.refuse((), "it is no list of plays")
    for number, play in enumerate(lined.value):
        if not isinstance(play, dict) or play.get("hosts") != "all":
            raise lined.refuse((number, "hosts"), "a play must say `hosts: all`: a run is limited to its moves already")
        if play.get("gather_facts") is not False:
            raise lined.refuse((number, "gather_facts"), "a play must say `gather_facts: false`")


def _runbook(name: str, document: _Document, tree: str) -> Runbook:
    return Runbook(
        name=name,
        title=document.title,
        ansible=document.ansible,
        roles=tuple(Role(name=role, machine=RoleSource(machine)) for role, machine in document.roles.items()),
        baseline=Baseline(**_lists_fixed(document.baseline.model_dump())),
        service=ServiceCheck(**document.service.model_dump()) if document.service else None,
        steps=tuple(_step(step) for step in document.steps),
        tree=tree,
        adopted=None if document.adopted is None else _adopted(document.adopted),
        after=AfterCheck(**_lists_fixed(document.compare_after.model_dump())) if document.compare_after else None,
        procedure=document.procedure,
        retires=document.retires,
        needs=tuple(_need(fact, told) for fact, told in document.needs.items()),
        groups=tuple(document.groups),
    )


def _step(told: _Step) -> Step:
    """A step as it is used: what starts another tool is a playbook like any other."""
    external = told.kind == "external"
    every_s = told.every_s or (LOOK_EVERY_S if external or told.waits_for else 0)
    playbook = told.playbook or told.start
    more = {"effect": Effect(told.effect), "external": external, "every_s": every_s, "playbook": playbook}
    return Step(**_lists_fixed(told.model_dump(exclude={"kind", "start"})) | more)


def _need(fact: str, told: str | list[str]) -> Need:
    return Need(fact=fact, values=(told,) if isinstance(told, str) else tuple(told))


def _lists_fixed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _adopted(told: _Adopted) -> Adopted:
    return Adopted(**_lists_fixed(told.model_dump()))
