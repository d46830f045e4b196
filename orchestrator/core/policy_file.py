"""A tenant's policy as a TOML text: read with errors that name file and key, and a commented example to start from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from inventory.model import AssetKind
from orchestrator.core.calendar import MAX_HORIZON_DAYS, is_closed_day, resolved, zone_of
from orchestrator.core.compare_file import COMPARE_EXAMPLE, read_tolerances
from orchestrator.core.domain_file import DOMAIN_EXAMPLE, read_domain
from orchestrator.core.gates_file import read_gates
from orchestrator.core.inventory_file import INVENTORY_EXAMPLE, read_inventory
from orchestrator.core.openings import windows_of
from orchestrator.core.planning_file import PLANNING_EXAMPLE, read_planning
from orchestrator.core.policy import Freeze, InvalidPolicy, Policy, WeeklyWindow, Window
from orchestrator.core.policy_entry import (
    EARLIEST,
    LATEST,
    SCOPE_KEYS,
    Entry,
    Reader,
    clock,
    day,
    known_keys,
    scope_of,
    tables_of,
    texts,
    weekdays,
    whole,
)
from orchestrator.core.policy_entry import PolicyFileWrong as PolicyFileWrong
from orchestrator.core.procedures_file import PROCEDURES_EXAMPLE, read_procedure

RUNBOOK_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRead:
    """A policy that was read, and what a person should look at again, one sentence each."""

    policy: Policy
    warnings: tuple[str, ...] = ()


INTEGERS: Mapping[str, tuple[int, int]] = {
    "horizon_days": (1, MAX_HORIZON_DAYS),
    "assets_per_window": (1, 100_000),
    "canary_size": (0, 100_000),
    "batch_size": (1, 100_000),
    "auto_rollback_max": (0, 100_000),
    "max_tries": (1, 100),
    "probe_tries": (1, 1_000),
    "probe_gap_s": (1, 86_400),
    "approval_valid_h": (1, 87_600),
    "forks": (1, 1_000),
    "last_moment_min": (1, 1_440),
    "soak_minutes": (0, 10_000),
    "same_error_max": (0, 100_000),
    "disk_free_gib": (0, 100_000),
}
KEEP = "keep_days"
SHARES = ("batch_budget", "wave_budget", "unreachable_share")


def read_policy(text: str, *, file: str, now: datetime) -> PolicyRead:
    """The policy in a TOML text. ``now`` is only for warnings about what has passed. Raises PolicyFileWrong."""
    top = Entry(file=file, key="", value=_parsed(text, file))
    readers = _readers()
    known_keys(top, readers)
    zone = _zone(top.at("zone"))
    keep = _keep_days(top)
    values = keep | {
        _FIELD_OF.get(key, key): reader(top.at(key), zone) for key, reader in readers.items() if key in top.value
    }
    try:
        policy = Policy(**values)
    except InvalidPolicy as cause:
        top.at(str(cause.facts["field"])).wrong(str(cause.facts["why"]), cause=cause)
    return PolicyRead(policy=policy, warnings=_warnings(policy, now=now))


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as cause:
        raise PolicyFileWrong(file=file, key="TOML", why=str(cause).rstrip(".")[:200]) from cause


_FIELD_OF = {"window": "windows", "freeze": "freezes", "gate": "gates", "procedure": "procedures"}
"""Key in the file -> field of Policy, where they differ: one table a window reads better in the singular."""


def _readers() -> dict[str, Reader]:
    return {
        "zone": lambda entry, zone: zone.key,
        "holidays": _holidays,
        **dict.fromkeys(INTEGERS, _integer),
        **dict.fromkeys(SHARES, _share),
        "contacts": _contacts,
        "weekly": tables_of(_weekly),
        "window": tables_of(_window),
        "freeze": tables_of(_freeze),
        "runbooks": _runbooks,
        "by_hand": _runbooks,
        "by_psrp": _runbooks,
        "retire": _retire,
        "planning": read_planning,
        "max_outage_min": _outages,
        "gate": read_gates,
        "inventory": read_inventory,
        "procedure": tables_of(read_procedure),
        "compare": read_tolerances,
        "domain": read_domain,
    }


# --------------------------------------------------------------------------- single values


def _zone(entry: Entry) -> ZoneInfo:
    name = entry.value if entry.value is not None else Policy().zone
    if not isinstance(name, str):
        entry.wrong("the name of a time zone is wanted, such as Europe/Berlin")
    try:
        return zone_of(name)
    except InvalidPolicy as cause:
        entry.wrong(f"there is no time zone {name!r}", cause=cause)


def _holidays(entry: Entry, zone: ZoneInfo) -> str:
    if not isinstance(entry.value, str):
        entry.wrong("a German state such as BB is wanted, or empty text")
    try:
        is_closed_day(entry.value, EARLIEST)
    except InvalidPolicy as cause:
        entry.wrong(f"there is no German state {entry.value!r}", cause=cause)
    return entry.value


def _integer(entry: Entry, zone: ZoneInfo) -> int:
    low, high = INTEGERS[entry.key]
    return whole(entry, low=low, high=high)


def _share(entry: Entry, zone: ZoneInfo) -> float:
    if isinstance(entry.value, bool) or not isinstance(entry.value, int | float):
        entry.wrong(f"a number from 0 to 1 is wanted, not {entry.value!r}")
    if not 0 <= entry.value <= 1:
        entry.wrong(f"{entry.value} is not between 0 and 1")
    return float(entry.value)


def _contacts(entry: Entry, zone: ZoneInfo) -> tuple[str, ...]:
    return texts(entry)


def _runbooks(entry: Entry, zone: ZoneInfo) -> dict[AssetKind, str]:
    known_keys(entry, [kind.value for kind in AssetKind])
    for kind, name in entry.value.items():
        if not isinstance(name, str) or not RUNBOOK_NAME.fullmatch(name):
            entry.at(kind).wrong(f"{name!r} cannot be the name of a runbook (a to z, 0 to 9 and -)")
    return {AssetKind(kind): name for kind, name in sorted(entry.value.items())}


def _retire(entry: Entry, zone: ZoneInfo) -> dict[AssetKind, str]:
    """The runbooks of [retire]; how long machines are kept stands beside them."""
    known_keys(entry, [kind.value for kind in AssetKind] + [KEEP])
    return _runbooks(replace(entry, value={key: one for key, one in entry.value.items() if key != KEEP}), zone)


def _keep_days(top: Entry) -> dict[str, Any]:
    retire = top.value.get("retire")
    if not isinstance(retire, dict) or KEEP not in retire:
        return {}
    return {KEEP: whole(top.at("retire").at(KEEP), low=0, high=36_500)}


def _outages(entry: Entry, zone: ZoneInfo) -> dict[AssetKind, int]:
    known_keys(entry, [kind.value for kind in AssetKind])
    return {AssetKind(kind): whole(entry.at(kind), low=1, high=100_000) for kind in sorted(entry.value)}


# --------------------------------------------------------------------------- windows and freezes


def _weekly(entry: Entry, zone: ZoneInfo) -> WeeklyWindow:
    known_keys(entry, ("days", "opens", "closes", *SCOPE_KEYS))
    wanted = weekdays(entry.at("days"))
    opens, closes = clock(entry.at("opens")), clock(entry.at("closes"), is_end=True)
    if opens == closes and str(entry.value["closes"]) != "24:00":
        entry.at("closes").wrong(f"a window from {opens:%H:%M} to {closes:%H:%M} lasts 0 s; a whole day ends at 24:00")
    return WeeklyWindow(days=wanted, opens=opens, closes=closes, scope=scope_of(entry))


def _window(entry: Entry, zone: ZoneInfo) -> Window:
    known_keys(entry, ("opens", "closes", *SCOPE_KEYS))
    opens, closes = _instant(entry.at("opens"), zone), _instant(entry.at("closes"), zone)
    if opens == closes:
        entry.at("closes").wrong("the window lasts 0 s")
    if closes < opens:
        entry.at("closes").wrong(f"the window closes at {closes.isoformat()} but opens at {opens.isoformat()}")
    return Window(opens=opens, closes=closes, scope=scope_of(entry))


def _instant(entry: Entry, zone: ZoneInfo) -> datetime:
    """A TOML date and time; without an offset it is the policy's local time."""
    if not isinstance(entry.value, datetime):
        entry.wrong("a date and time such as 2026-12-05T08:00:00 is wanted, without quotation marks")
    if not EARLIEST <= entry.value.date() < LATEST:
        entry.wrong(f"the year {entry.value.year} is out of reach")
    if entry.value.tzinfo is not None:
        return entry.value.astimezone(UTC)
    instant = resolved(entry.value, zone)
    if instant.astimezone(zone).replace(tzinfo=None) != entry.value:
        entry.wrong(f"{entry.value.isoformat(' ')} does not exist: the clocks are put forward then")
    return instant


def _freeze(entry: Entry, zone: ZoneInfo) -> Freeze:
    known_keys(entry, ("name", "first", "last", *SCOPE_KEYS))
    name = entry.at("name")
    if not isinstance(name.value, str) or not name.value.strip():
        name.wrong("a name is wanted, so that people know why nothing moves")
    first, last = day(entry.at("first")), day(entry.at("last"))
    if last < first:
        entry.at("last").wrong(f"the freeze ends on {last} before it begins on {first}")
    return Freeze(name=name.value, first=first, last=last, scope=scope_of(entry))


# --------------------------------------------------------------------------- warnings


def _warnings(policy: Policy, *, now: datetime) -> tuple[str, ...]:
    """What is allowed but hardly meant."""
    found = [
        f"The window that closes at {one.closes.isoformat(timespec='minutes')} has passed."
        for one in policy.windows
        if one.closes <= now
    ]
    today = now.astimezone(zone_of(policy.zone)).date()
    found += [f"The freeze {one.name!r} ended on {one.last}." for one in policy.freezes if one.last < today]
    if not (policy.runbooks or policy.by_hand or policy.by_psrp):
        found.append("No kind of asset has a runbook: nothing can move.")
    if not windows_of(policy, not_before=now):
        found.append(f"No window is left within {policy.horizon_days} days: nothing can be planned.")
    if policy.canary_size >= policy.assets_per_window:
        found.append("The canary is as large as a whole wave: nothing is tried on a few first.")
    return tuple(found)


# --------------------------------------------------------------------------- the example

EXAMPLE = """\
# What a tenant allows. Set it with `kahn tenant policy --file FILE`; every entry may be left out.

zone = "{zone}"            # all times below are local times of this zone
holidays = "{holidays}"                    # German state: public holidays, 24 and 31 December stay free; "" for none
horizon_days = {horizon_days}                # how far ahead waves are planned
assets_per_window = {assets_per_window}            # how many assets one wave may take
canary_size = {canary_size}                   # this many go first; 0 for no canary
batch_size = {batch_size}                   # then this many at a time; a group that moves together is never cut
batch_budget = {batch_budget}                # share of a batch that may go wrong before a person looks
wave_budget = {wave_budget}                 # the same for the whole wave
soak_minutes = {soak_minutes}                  # wait after each batch and ask whether what moved serves; 0: no soak
same_error_max = {same_error_max}                # so many assets with the same error hold the wave; 0 for no limit
unreachable_share = {unreachable_share}           # share of a batch that may fall silent within a minute
disk_free_gib = {disk_free_gib}                 # must be free where Kahn writes, or no new step begins
auto_rollback_max = {auto_rollback_max}             # more assets than this are never taken back without a person
max_tries = {max_tries}                     # tries of a step that can be repeated
probe_tries = {probe_tries}                   # looks at an asset of unknown state
probe_gap_s = {probe_gap_s}                  # seconds between two of them
approval_valid_h = {approval_valid_h}            # hours after which an approval expires
forks = {forks}                        # assets worked on at the same time
contacts = ["it-bereitschaft@stadt.example"]   # shown to approvers; whom Kahn calls stands in notices.toml
last_moment_min = {last_moment_min}              # so many minutes before a window's end people are called

# Windows that come back: days by name (mon to sun), from `opens` to `closes`; over midnight when it closes earlier
# than it opens. A whole day ends at "24:00". A time that the clock skips in spring means the next one that exists;
# of a doubled hour in autumn the first counts.
[[weekly]]
days = ["mon", "tue", "wed", "thu"]
opens = "22:00"
closes = "04:30"

# A single window. It counts on a public holiday too (it was named on purpose), but not in a freeze.
# [[window]]
# opens = 2027-01-16T08:00:00
# closes = 2027-01-16T18:00:00

# Days on which nothing moves, first and last included.
# [[freeze]]
# name = "year end"
# first = 2026-12-18
# last = 2027-01-06

# Which runbook moves which kind of asset. Kinds without one stay where they are.
[runbooks]
workstation = "replace-workstation"

# Machines that run Windows are moved by people: a runbook of manual steps, for which Kahn reaches no machine.
# [by_hand]
# workstation = "replace-seat-by-hand"

# Or, of such kinds, Kahn moves them by PSRP (docs/windows.md; never tried on Windows so far). Not both for one kind.
# [by_psrp]
# workstation = "replace-windows-seat"
# server = "move-windows-server"

# Machines whose strategy is *retire* go without a successor: which runbook switches them off. Without one they stay.
# `keep_days`: so long a machine that was switched off or moved off is kept before it may be erased.
# [retire]
# server = "retire-asset"
# keep_days = {keep_days}

# How many minutes an asset of that kind may be out of service; near it people are called. Without an entry: no limit.
[max_outage_min]
workstation = 240

# What people must confirm with `kahn gate confirm NAME` before a wave starts. Known names bring what is usual:
# staff-council and data-protection (once for the tenant), vendor-release and rehearsal (for the runbook), staff (people
# for the wave), backup-restored and hardware (for each asset: one without stays behind). Any other name: for the wave.
# [[gate]]
# name = "backup-restored"
# max_age_days = 30
# owner = "Administration"
#
# [[gate]]
# name = "staff"
# per_person = 20              # so many assets need one person
"""


def render_example() -> str:
    """A commented policy file with every entry and its default."""
    policy = Policy()
    names = ("zone", "holidays", *INTEGERS, *SHARES, KEEP)
    example = EXAMPLE.format(**{name: getattr(policy, name) for name in names})
    return example + PLANNING_EXAMPLE + INVENTORY_EXAMPLE + COMPARE_EXAMPLE + DOMAIN_EXAMPLE + PROCEDURES_EXAMPLE
