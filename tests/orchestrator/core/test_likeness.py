"""Two portraits compared: every difference gets one verdict, and what nobody saw is never good."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from orchestrator.core.likeness import (
    SECTIONS,
    Comparison,
    Machines,
    Portrait,
    Tolerances,
    Verdict,
    compared,
    portrait_of,
)

MACHINES = Machines(words=(("10.1.0.5", "10.9.0.5"), ("alt-1.stadt.example", "rz-1.stadt.example"), ("alt-1", "rz-1")))


def a_portrait(**sections: dict[str, Any]) -> Portrait:
    found = portrait_of({"portrait": {"sections": {name: [entries] for name, entries in sections.items()}}})
    assert found is not None
    return found


def verdict(section: str, before: dict[str, Any], now: dict[str, Any], **tolerances: Any) -> tuple[str, bool]:
    """Verdict and seriousness of the one difference; `same` when there is none."""
    found = comparison(section, before, now, **tolerances)
    if not found.differences:
        return "same", False
    (one,) = found.differences
    return one.verdict.value, one.serious


def comparison(section: str, before: dict[str, Any], now: dict[str, Any], **tolerances: Any) -> Comparison:
    portraits = a_portrait(**{section: before}), a_portrait(**{section: now})
    return compared(*portraits, machines=MACHINES, tolerances=Tolerances(**tolerances))


@pytest.mark.parametrize(
    ("section", "before", "now", "expected"),
    [
        ("ports", {"tcp 22": "sshd, any address"}, {"tcp 22": "sshd, any address"}, ("same", False)),
        ("ports", {"tcp 22": "sshd, any address"}, {}, ("missing", True)),
        ("ports", {"tcp 80": "apache2, any address"}, {"tcp 80": "nginx, any address"}, ("changed", False)),
        ("ports", {}, {"tcp 25": "exim4, this machine"}, ("new", False)),
        ("services", {"a.service": "active enabled"}, {"a.service": "enabled"}, ("changed", True)),
        ("services", {"a.service": "active"}, {"a.service": "active enabled"}, ("tolerated", False)),
        ("services", {"a.service": "enabled"}, {"a.service": "enabled failed"}, ("changed", True)),
        ("services", {"a.service": "enabled failed"}, {"a.service": "active enabled"}, ("changed", False)),
        ("shares", {"smb daten": "/srv/daten"}, {"smb daten": "/srv/leer"}, ("changed", True)),
        ("shares", {"nfs /srv": "10.1.0.5(rw)"}, {"nfs /srv": "10.9.0.5(rw)"}, ("expected", False)),
        ("printers", {"flur": "ipp://alt-1/flur"}, {"flur": "ipp://rz-1/flur"}, ("expected", False)),
        ("printers", {"flur": "ipp://alt-12/flur"}, {"flur": "ipp://rz-12/flur"}, ("changed", True)),
        ("jobs", {"/etc/cron.d/a": "aa"}, {"/etc/cron.d/a": "bb"}, ("changed", False)),
        ("mounts", {"/": "ext4 40 %"}, {"/": "ext4 70 %"}, ("tolerated", False)),
        ("mounts", {"/": "ext4 40 %"}, {"/": "ext4 95 %"}, ("changed", True)),
        ("rows", {"a t": 1000}, {"a t": 960}, ("tolerated", False)),
        ("rows", {"a t": 1000}, {"a t": 900}, ("changed", True)),
        ("rows", {"a t": 1000}, {"a t": 1200}, ("changed", False)),
        ("answer", {"status": "200"}, {"status": "500"}, ("changed", True)),
        ("answer", {"milliseconds": 10}, {"milliseconds": 900}, ("tolerated", False)),
        ("answer", {"milliseconds": 10}, {"milliseconds": 9000}, ("changed", True)),
    ],
)
def test_every_section_has_its_own_sense_of_what_is_lost(
    section: str, before: dict[str, Any], now: dict[str, Any], expected: tuple[str, bool]
) -> None:
    assert verdict(section, before, now) == expected


def test_a_renewed_certificate_of_the_same_subject_is_tolerated_and_an_older_one_is_not() -> None:
    def one(subject: str, until: str, digest: str) -> dict[str, str]:
        return {"/etc/ssl/a.pem": f"commonName={subject}, until {until}, {digest}"}

    before = one("alt-1.stadt.example", "2027-01-01", "aa11")
    assert verdict("certificates", before, one("rz-1.stadt.example", "2028-01-01", "bb22")) == ("tolerated", False)
    assert verdict("certificates", before, one("rz-1.stadt.example", "2026-01-01", "bb22"))[0] == "changed"
    assert verdict("certificates", before, one("other.example", "2028-01-01", "bb22"))[0] == "changed"


def test_a_declared_other_name_is_expected_and_a_pattern_is_tolerated() -> None:
    names = (("services: mysql.service", "services: mariadb.service"),)
    before, now = {"mysql.service": "active"}, {"mariadb.service": "active"}
    assert verdict("services", before, now, other_names=names) == ("expected", False)
    assert verdict("services", {"apt-daily.service": "active"}, {}, ignore=("services: apt-*",)) == ("tolerated", False)
    assert verdict("mounts", {"/boot/efi": "vfat 1 %"}, {}, ignore=("mounts: * = vfat*",)) == ("tolerated", False)
    assert not comparison("ports", {"tcp 1": "x"}, {}, leave_out=("ports",)).differences


def test_what_could_not_be_read_on_either_side_is_never_good() -> None:
    whole = a_portrait(services={"a": "active"})
    blind = Portrait(sections={}, unread={"services": "systemctl: no answer"})
    for pair in ((blind, whole), (whole, blind), (blind, blind)):
        found = compared(*pair, machines=MACHINES, tolerances=Tolerances())
        assert found.counts["unseen"] == 1 and found.serious
    silent = compared(whole, a_portrait(), machines=MACHINES, tolerances=Tolerances())
    assert [(one.verdict, one.name) for one in silent.differences] == [(Verdict.UNSEEN, "*")]


def test_what_lies_in_a_section_that_nobody_read_is_neither_missing_nor_new() -> None:
    whole, other = a_portrait(services={"a": "active", "b": "active"}), a_portrait(services={"b": "failed"})
    cut = Portrait(sections=other.sections, unread={"services": "... 7"})
    after, before = (
        compared(*pair, machines=MACHINES, tolerances=Tolerances()) for pair in ((whole, cut), (cut, whole))
    )
    assert [(one.verdict, one.name) for one in after.differences] == [(Verdict.UNSEEN, "*"), (Verdict.CHANGED, "b")]
    assert [(one.verdict, one.name) for one in before.differences] == [(Verdict.UNSEEN, "*"), (Verdict.CHANGED, "b")]
    assert (after.counts["missing"], before.counts["new"]) == (0, 0)


def test_a_section_that_was_cut_off_counts_as_not_seen() -> None:
    told = {"portrait": {"sections": {"rows": [{"a": 1}]}, "left_out": {"rows": 7}}}
    cut = portrait_of(told)
    assert cut is not None and compared(cut, cut, machines=MACHINES, tolerances=Tolerances()).serious == 1


@pytest.mark.parametrize("told", [None, [], {}, {"portrait": 3}, {"portrait": {"sections": []}}, {"truncated": True}])
def test_a_report_that_holds_no_portrait_gives_none(told: object) -> None:
    assert portrait_of(told) is None


JUNK = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PORTRAITS = some.dictionaries(some.sampled_from(SECTIONS), JUNK, max_size=4)


@settings(max_examples=40, deadline=None)
@given(before=PORTRAITS, now=PORTRAITS)
def test_whatever_a_machine_tells_every_entry_gets_one_verdict(before: Any, now: Any) -> None:
    """A hostile machine can raise nothing, and hides an entry only with its whole section, which is said."""
    first = portrait_of({"portrait": {"sections": before, "unread": before, "left_out": now}})
    second = portrait_of({"portrait": {"sections": now, "unread": now}})
    assert first is not None and second is not None
    found = compared(first, second, machines=MACHINES, tolerances=Tolerances())
    blind = tuple({one.section for one in found.differences if one.verdict is Verdict.UNSEEN})
    assert all(one.serious for one in found.differences if one.verdict is Verdict.UNSEEN)
    rest = compared(first, second, machines=MACHINES, tolerances=Tolerances(leave_out=blind))
    judged = sum(rest.counts[one] for one in Verdict if one is not Verdict.NEW)
    assert judged == sum(len(entries) for name, entries in first.sections.items() if name not in blind)
    assert found.serious == sum(one.serious for one in found.differences)
