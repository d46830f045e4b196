"""Scan: which host keys machines show, compared with the inventory; what a person trusts is written, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase

from inventory.addressing import parse_address, parse_host_key
from inventory.changes import Changed, ChangeSet, FieldChange
from inventory.errors import ExpectedError
from inventory.filtering import as_text, chosen, is_term
from inventory.model import Asset, InvalidValue, Snapshot, TenantId, name_key
from orchestrator.core.access import AccessProfile
from orchestrator.core.explain import Sentence
from orchestrator.core.host_keys import (
    Door,
    Finding,
    KeyAnswer,
    Trouble,
    Verdict,
    finding_of,
    fingerprint,
    users_of_keys,
)
from orchestrator.ports import Books, Entry

TRUSTED, SUBJECT, SOURCE = "inventory.host_key", "inventory", "scan"
KeyReader = Callable[[Sequence[Door]], Sequence[KeyAnswer]]
"""Asks every door; one answer each, in their order."""


class NothingToScan(ExpectedError):
    """No machine is meant, or none of them can be reached at all."""

    code, says = "ACC-010", "No machine of {tenant} with an address and an access profile matches {words}."
    remedy = "List the machines with `kahn asset list address!= access!=`, or correct the names."
    exit_code = 5


class NotScanned(ExpectedError):
    """A replacement for a machine that this scan does not ask."""

    code, says = "ACC-011", "{name!r} is not among the machines of this scan, so its key cannot be replaced."
    remedy = "Name the machine also as one to scan, and write it as `kahn asset list` shows it."


class KeyOvertaken(ExpectedError):
    """A machine's record changed between the scan and the answer of the person."""

    code, says = "ACC-012", "The record of {name} was changed by somebody else since it was scanned."
    remedy = "Scan again: nothing was written."
    exit_code = 6


def select_machines(snapshot: Snapshot, words: Sequence[str]) -> tuple[Asset, ...]:
    """Machines that bear one of the names (``*`` and ``?`` allowed) and fulfil every filter term; all without words.

    Machines without address or access profile are passed over, unless they were named: then they are a failure.
    Raises InvalidFilter, NothingToScan.
    """
    terms = [word for word in words if is_term(word)]
    names = [name_key(word) for word in words if word not in terms]
    found = [one for one in chosen(snapshot.assets, as_text(terms)) if one.is_machine]
    if names:
        found = [one for one in found if any(fnmatchcase(name_key(one.name), name) for name in names)]
    unknown = [name for name in names if not any(fnmatchcase(name_key(one.name), name) for one in found)]
    reachable = found if names else [one for one in found if one.text("address") and one.text("access")]
    if unknown or not reachable:
        raise NothingToScan(tenant=snapshot.tenant, words=", ".join(unknown or words) or "-")
    return tuple(reachable)


def scan_keys(
    snapshot: Snapshot, machines: Iterable[Asset], *, profiles: Mapping[str, AccessProfile], read: KeyReader
) -> tuple[Finding, ...]:
    """What each machine shows, by kind and name of the machine. Writes nothing."""
    doors: list[tuple[Asset, Door]] = []
    findings: list[Finding] = []
    for asset in machines:
        door = door_of(asset, profiles)
        if isinstance(door, Trouble):
            findings.append(finding_of(asset, KeyAnswer(asset=asset.id, trouble=door)))
        else:
            doors.append((asset, door))
    answers = read([door for _asset, door in doors])
    for (asset, door), answer in zip(doors, answers, strict=True):
        via = door.profile.jump.address if door.profile.jump else ""
        findings.append(finding_of(asset, answer, via=via))
    return _with_twins(snapshot, findings)


def trust_keys(books: Books, tenant: TenantId, findings: Sequence[Finding], *, at: datetime) -> int:
    """Write the keys of NEW and CHANGED findings, each with its journal entry; returns how many.

    Whoever calls has asked a person about every one of them. Raises KeyOvertaken.
    """
    trusted = [one for one in findings if one.verdict in (Verdict.NEW, Verdict.CHANGED)]
    known = books.assets.snapshot(tenant).by_id()
    for one in trusted:
        if known.get(one.asset.id) != one.asset:
            raise KeyOvertaken(name=one.asset.name)
    written = books.assets.apply(ChangeSet(tenant=tenant, changed=tuple(_changed(one) for one in trusted)))
    if trusted:
        books.journal.append(tenant, [_entry(one) for one in trusted], at=at)
    return written


def door_of(asset: Asset, profiles: Mapping[str, AccessProfile]) -> Door | Trouble:
    """The way to the machine by its access profile, or why there is none."""
    name = asset.text("access")
    if not asset.text("address"):
        return Trouble(code="no_address", told=Sentence(says="it has no address in the inventory"))
    if not name:
        return Trouble(code="no_access", told=Sentence(says="it names no access profile"))
    if name not in profiles:
        told = Sentence(says="its access profile {profile!r} does not exist", facts={"profile": name})
        return Trouble(code="profile_unknown", told=told)
    try:
        address = parse_address("address", asset.text("address"))
    except InvalidValue as refusal:
        facts = {"why": str(refusal.facts["why"])}
        told = Sentence(says="its address cannot be used: {why}", facts=facts)
        return Trouble(code="no_address", told=told)
    return Door(asset=asset.id, address=address, profile=profiles[name], known=asset.text("host_key"))


def _with_twins(snapshot: Snapshot, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    found = sorted(findings, key=lambda one: (str(one.asset.kind), name_key(one.asset.name)))
    users = users_of_keys(snapshot.assets, found)
    return tuple(
        replace(one, twins=tuple(name for name in users.get(one.after, ()) if name != one.asset.name)) for one in found
    )


def _changed(one: Finding) -> Changed:
    key = parse_host_key("host_key", one.after)
    change = FieldChange(field="host_key", before=one.before or None, after=key, source=SOURCE)
    return Changed(asset=replace(one.asset, values={**one.asset.values, "host_key": key}), changes=(change,))


def _entry(one: Finding) -> Entry:
    body = {
        "asset": one.asset.id,
        "before": fingerprint(one.before),
        "after": fingerprint(one.after),
        "key": one.after,
        "via": one.via,
        "source": SOURCE,
    }
    return Entry(kind=TRUSTED, subject=SUBJECT, body=body)
