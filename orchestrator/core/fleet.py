"""The fleet preflight: which machines are looked at before a batch begins, and what their answers mean. Pure.

A machine that cannot work keeps its assets back before Ansible starts, so that it occupies no fork. What a machine
answers is hostile text: only numbers of known lines are taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from inventory.model import AssetId
from orchestrator.core.breakers import LEAST_UNREACHABLE
from orchestrator.core.causes import cause_of
from orchestrator.core.causes_of_windows import SEEN
from orchestrator.core.explain import Sentence
from orchestrator.core.host_keys import Door, Trouble
from orchestrator.core.order import own_machines
from orchestrator.core.ready_line import ADMINISTRATOR, BLOCKS, HELD, UNKNOWN, ReadyLine, good
from orchestrator.core.runbook import RoleSource, Runbook
from orchestrator.core.surroundings import Looked
from orchestrator.core.wave import PARTNER, WaveContent

FIRST_LINE = "kahn-look 1"
GATE = "hosts"
LEAST_FREE_KIB = 64 * 1024
"""Free room on the root file system, KiB, below which nothing useful can be done there."""
MOST_CLOCK_S = 300
"""Seconds by which a machine's clock may differ from ours; Kerberos tolerates as much."""
MOST_LOAD = 8.0
"""Load per core from which a machine is named as busy; it is not held for that."""
WAY_CLOSED, MASS_UNREACHABLE = "way_closed", "mass_unreachable"
_ALSO = frozenset({RoleSource.VAULT, RoleSource.GATEWAY, RoleSource.DATABASE})
"""Machines of the tenant that are looked at too, once for all assets; a jump host is proven by the way through it."""
_CAUSES: Mapping[str, str] = MappingProxyType({
    "unreachable": "unreachable",
    "refused": "connection_refused",
    "no_banner": "does_not_speak",
    "broke_off": "does_not_speak",
    "key_mismatch": "host_key_changed",
    "login": "login_refused",
    "no_report": "no_sensible_answer",
    "too_much": "no_sensible_answer",
    "too_late": "no_sensible_answer",
    **{one.code: one.code for one in SEEN},
})  # fmt: skip
"""Trouble of a machine -> cause. What is not named here (a key file of ours, an unknown key, algorithms that this look
does not know and Ansible's ssh does) is not the machine's."""
_FREE = {
    "ssh": Sentence(says="{mib} MiB are free on its root file system"),
    "psrp": Sentence(says="{mib} MiB are free on its system drive"),
}
_LINE = re.compile(r"(become|time|free_kib|load_percent|cores) (\d{1,15})\Z")
_WORD = re.compile(r"(root|packages|python) ([a-z-]{1,20})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One machine to look at, the way to it, and the assets that need it. ``shared``: it is the tenant's."""

    machine: str
    door: Door
    assets: tuple[AssetId, ...]
    shared: bool
    needs_python: bool = True
    """Whether modules of Ansible run there; somebody's own playbook may do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAnswer:
    """What a machine said and when (UTC), or the trouble that came between."""

    text: str = ""
    at: datetime | None = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What speaks against a machine. ``cause`` is empty for what people should know but holds nothing."""

    post: Post
    cause: str
    says: Sentence = field(default_factory=lambda: Sentence(says=""))


def posts_of(content: WaveContent, assets: Iterable[AssetId]) -> tuple[Post, ...]:
    """Every machine that these assets need, once, in the order of the assets; none where people do everything, and none
    that people or another tool set up first."""
    if not content.runbook.touches_machines:
        return ()
    profiles = {one.name: one for one in content.access}
    also = {role.name for role in content.runbook.roles if role.machine in _ALSO}
    later = set_up_first(content.runbook)
    found: dict[tuple[str, str, str], Post] = {}
    for asset in assets:
        own = own_machines(content, asset)
        for one in content.move(asset).machines:
            profile = profiles.get(one.access)
            leads_here = one.role.startswith(PARTNER)
            if profile is None or one.role in later or not (one.name in own or one.role in also or leads_here):
                continue
            key = (one.name, one.address, one.access)
            before = found[key].assets if key in found else ()
            door = Door(asset=asset, address=one.address, profile=profile, known=one.host_key)
            found[key] = Post(
                machine=one.name,
                door=door,
                assets=tuple(dict.fromkeys((*before, asset))),
                shared=one.role in also and one.name not in own,
                needs_python=content.runbook.adopted is None,
            )
    return tuple(found.values())


def set_up_first(runbook: Runbook) -> frozenset[str]:
    """Roles whose machine may not be there yet when a batch begins: a step of people or of another tool comes before
    the first playbook that connects to it."""
    met = {runbook.baseline.on} if runbook.baseline.take else set[str]()
    found, others_at_work = set[str](), False
    for step in runbook.steps:
        if step.checklist or step.external:
            others_at_work = True
        elif step.on not in met:
            met.add(step.on)
            found |= {step.on} if others_at_work else set()
    return frozenset(found)


def findings(posts: Sequence[Post], answers: Sequence[HostAnswer]) -> tuple[Finding, ...]:
    """What the answers say against machines, in the order of the posts."""
    return tuple(one for post, answer in zip(posts, answers, strict=True) for one in _of(post, answer))


def looked(content: WaveContent, posts: Sequence[Post], found: Sequence[Finding]) -> Looked:
    """What a look means for the wave: assets that stay behind with their cause, or why all of it must be held.

    A closed way, a machine of the tenant that fails, or many machines silent at once are no fault of single assets.
    """
    bad = [one for one in found if one.cause]
    for one in bad:
        if one.post.shared or one.cause == WAY_CLOSED:
            return Looked(closed=WAY_CLOSED)
    own = [post for post in posts if not post.shared]
    silent = [one for one in bad if one.cause == "unreachable"]
    if len(silent) >= LEAST_UNREACHABLE and len(silent) >= content.thresholds.unreachable_share * len(own):
        return Looked(closed=MASS_UNREACHABLE)
    held: dict[AssetId, str] = {}
    for one in bad:
        for asset in one.post.assets:
            held.setdefault(asset, one.cause)
    return Looked(held=held)


def _of(post: Post, answer: HostAnswer) -> Iterable[Finding]:
    if answer.trouble is not None:
        code = answer.trouble.code
        cause = WAY_CLOSED if code.startswith("jump_") else _CAUSES.get(code, "")
        yield Finding(post=post, cause=cause, says=answer.trouble.told)
        return
    seen = _numbers(answer.text)
    yield from (Finding(post=post, cause=cause, says=says) for cause, says in _judged(seen, post, answer))


def _numbers(text: str) -> dict[str, int | str]:
    seen: dict[str, int | str] = {}
    for line in text.splitlines():
        if hit := _LINE.match(line):
            seen.setdefault(hit[1], int(hit[2]))
        elif hit := _WORD.match(line):
            seen.setdefault(hit[1], hit[2])
    return seen


def _judged(seen: Mapping[str, int | str], post: Post, answer: HostAnswer) -> Iterable[tuple[str, Sentence]]:
    profile = post.door.profile
    become, free, clock = (_int(seen, name) for name in ("become", "free_kib", "time"))
    load, cores = _int(seen, "load_percent"), _int(seen, "cores") or 1
    if become is None or free is None or clock is None or "root" not in seen:
        yield "no_sensible_answer", Sentence(says="what it answers is not complete")
        return
    if profile.become and not become:
        yield "sudo_refused", Sentence(says="{user} may not use sudo without a password", facts={"user": profile.user})
    if profile.psrp and not become:
        yield "not_administrator", Sentence(says="{user} is no administrator there", facts={"user": profile.user})
    if seen["root"] == "ro":
        yield "read_only", Sentence(says="its root file system is read-only")
    if post.needs_python and seen.get("python") == "none":
        yield "python_missing", Sentence(says="it has no /usr/bin/python3")
    if free < LEAST_FREE_KIB:
        yield "disk_full", replace(_FREE[profile.transport], facts={"mib": free // 1024})
    off = 0 if answer.at is None else round(clock - answer.at.timestamp())
    if abs(off) > MOST_CLOCK_S:
        yield "clock_wrong", Sentence(says="its clock differs by {seconds} s", facts={"seconds": off})
    if load is not None and load / 100 / cores > MOST_LOAD:
        yield (
            "",
            Sentence(says="it is busy: a load of {load} on {cores} cores", facts={"load": load // 100, "cores": cores}),
        )
    if seen.get("packages") == "locked":
        yield "", Sentence(says="its package manager is at work")


def _int(seen: Mapping[str, int | str], name: str) -> int | None:
    value = seen.get(name)
    return value if isinstance(value, int) else None


def hosts_lines(content: WaveContent, posts: Sequence[Post], found: Sequence[Finding]) -> tuple[ReadyLine, ...]:
    """The look as lines of the ready check: what speaks against machines, how many can work, and what follows."""
    if not posts:
        return (ReadyLine(gate=GATE, verdict=UNKNOWN, says=Sentence(says="no machine was looked at")),)
    lines = [_line(one) for one in found]
    closed = looked(content, posts, found).closed
    if closed and not any(line.verdict == BLOCKS for line in lines):
        cause = cause_of(closed)
        says, remedy = Sentence(says=cause.says), Sentence(says=cause.remedy)
        lines.append(ReadyLine(gate=GATE, verdict=BLOCKS, says=says, owner=ADMINISTRATOR, remedy=remedy))
    quiet = len(posts) - len({id(one.post) for one in found})
    says = Sentence(says="{count} machines answered and can work", facts={"count": quiet})
    return (*lines, good(GATE, says)) if quiet else tuple(lines)


def _line(one: Finding) -> ReadyLine:
    says = Sentence(says="{machine}: {why}", facts={"machine": one.post.machine, "why": one.says})
    if not one.cause:
        return ReadyLine(gate=GATE, verdict=UNKNOWN, says=says)
    blocks = one.post.shared or one.cause == WAY_CLOSED
    return ReadyLine(
        gate=GATE,
        verdict=BLOCKS if blocks else HELD,
        says=says,
        owner=ADMINISTRATOR,
        remedy=Sentence(says=cause_of(one.cause).remedy),
        assets=() if blocks else one.post.assets,
    )
