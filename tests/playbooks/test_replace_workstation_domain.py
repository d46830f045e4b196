"""replace-workstation in a real domain (Samba): joined and disabled, killed and back; each refusal has its cause."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.runbook import Direction
from orchestrator.lab.lab import Lab, inventory_rows
from orchestrator.lab.seed import seed_user_files
from tests.labs import lab
from tests.playbooks.domains import JOINER, REALM, SECRET, USER, USER_SECRET, DomainSeats, clock_ahead, places_with
from tests.playbooks.modules import shared
from tests.playbooks.seats import picture, unlike
from tests.playbooks.test_kahn_keytab import entry
from tests.scenarios.story import APPROVER, ENGINEER, Story, a_place, a_policy, a_tenant, an_import

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
SEATS, LONG_S = 4, 1800
ADCLI, CHANGES = "/usr/sbin/adcli", "/usr/bin/ldapmodify"
membership = shared("kahn_keytab").membership


@pytest.fixture(scope="module")
def seats(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DomainSeats]:
    """1: all the way; 2: killed; 3: refusals; 4: old accounts. The old machines 1, 2 and 4 are members."""
    made = DomainSeats(lab, tenant="domain", count=SEATS, state=tmp_path_factory.mktemp("state"))
    for seat in (1, 2, 4):
        made.domain.tool("computer", "create", f"APC-{seat:04d}", "--description", 'Raum 3 (Frau "Öz")')
        made.domain.tool("user", "enable", f"APC-{seat:04d}$")
    yield made


def user_has_a_ticket(seats: DomainSeats, seat: int) -> str:
    """A user of the domain logs in on the successor and uses its own service."""
    login = f"printf '%s\\n' '{USER_SECRET}' | KRB5CCNAME=FILE:/tmp/of-{USER} kinit {USER}"
    service = f"KRB5CCNAME=FILE:/tmp/of-{USER} kvno host/neu-{seat:04d}.amt.test"
    return seats.new(seat).run("sh", "-c", f"{login} >/dev/null && {service}")


def test_a_successor_joins_the_old_account_is_disabled_and_all_of_it_comes_back(seats: DomainSeats) -> None:
    new, before, first = seats.new(1), picture(seats.new(1)), seats.domain.computers()
    fit = seats.must("preflight", 1)[1]
    assert fit.kind == "done"
    told = seats.must("join", 1)[1].evidence["kahn"]
    assert (told["computer"], told["realm"], told["made"]) == ("NEU-0001", "AMT.TEST", True)
    joined = seats.domain.computers()
    assert joined.keys() - first.keys() == {"NEU-0001$"}
    assert joined["NEU-0001$"]["dNSHostName"] == "neu-0001.amt.test"
    assert "Made by Kahn" in joined["NEU-0001$"]["description"]
    keytab = new.root / "etc/krb5.keytab"
    assert (keytab.stat().st_mode & 0o777, keytab.stat().st_uid) == (0o600, 0)
    assert "kvno = 2" in user_has_a_ticket(seats, 1)
    assert membership(str(keytab)) == {"realm AMT.TEST": "member"}
    assert seats.answer("join", 1) == "done"
    again = seats.must("join", 1)[1]
    assert (
        again.kind == "done"
        and seats.domain.computers()["NEU-0001$"]["objectGUID"] == joined["NEU-0001$"]["objectGUID"]
    )

    off = seats.must("disable-old-account", 1)[1].evidence["kahn"]
    assert (off["computer"], off["account"]) == ("APC-0001", "disabled")
    assert not int(first["APC-0001$"]["userAccountControl"]) & 2
    account = seats.domain.computers()["APC-0001$"]
    assert int(account["userAccountControl"]) & 2 and account.keys() == first["APC-0001$"].keys()
    assert seats.answer("disable-old-account", 1) == "done"
    assert places_with(SECRET, seats.state / "runs", new.root / "var", new.root / "etc", new.root / "dev/shm") == []

    for step in ("disable-old-account", "join"):
        seats.must(step, 1, direction=Direction.UNDO)
        seats.must(step, 1, direction=Direction.UNDO)
        assert seats.answer(step, 1) == "not_done"
    assert seats.domain.computers() == first
    assert unlike(before, picture(new)) == [] and not list((new.root / "dev/shm").iterdir())


def test_killed_while_it_joins_it_is_asked_and_goes_on_or_comes_back(seats: DomainSeats) -> None:
    """Before the account is made, before the machine is enrolled, and after that: never a trace that stays."""
    before, first = picture(seats.new(2)), seats.domain.computers()
    moments = ((CHANGES, "*", "before", False), (ADCLI, "join*", "before", True), (ADCLI, "join*", "after", True))
    for program, pattern, when, made in moments:
        with seats.held(2, program, pattern, when=when):
            ended = seats.killed(2, "join", when=when)
        assert ended.kind == "unknown", ended
        assert ("NEU-0002$" in seats.domain.computers()) is made
        assert seats.answer("join", 2) == "partial"
        seats.must("join", 2, direction=Direction.UNDO)
        assert (seats.domain.computers(), unlike(before, picture(seats.new(2)))) == (first, [])
    with seats.held(2, ADCLI, "join*", when="after"):
        seats.killed(2, "join", when="after")
    assert seats.must("join", 2)[2].evidence["kahn"]["made"]
    assert seats.answer("join", 2) == "done"
    with seats.domain.silent():
        blind = seats.play("join", 2, direction=Direction.UNDO)[2]
    assert (blind.kind, blind.cause) == ("failed", "domain_unreachable"), blind
    seats.must("join", 2, direction=Direction.UNDO)
    assert (seats.domain.computers(), unlike(before, picture(seats.new(2)))) == (first, [])


def test_killed_while_it_disables_the_old_account_it_is_asked_and_comes_back(seats: DomainSeats) -> None:
    step, first = "disable-old-account", seats.domain.computers()
    for when, answer in (("before", "not_done"), ("after", "done")):
        with seats.held(2, CHANGES, "*", when=when):
            ended = seats.killed(2, step, when=when)
        assert (ended.kind, seats.answer(step, 2)) == ("unknown", answer), ended
        seats.must(step, 2)
        seats.must(step, 2, direction=Direction.UNDO)
        assert seats.domain.computers() == first
    with seats.held(2, CHANGES, "*", when="before"):
        seats.killed(2, step, when="before")
    seats.domain.tool("user", "disable", "APC-0002$")  # somebody else did it meanwhile: it stays theirs
    seats.must(step, 2, direction=Direction.UNDO)
    assert int(seats.domain.computers()["APC-0002$"]["userAccountControl"]) & 2
    seats.domain.tool("user", "enable", "APC-0002$")
    assert seats.domain.computers() == first


def locked_out(seats: DomainSeats) -> None:
    """So many wrong passwords that the domain locks the join account."""
    seats.domain.tool("domain", "passwordsettings", "set", "--account-lockout-threshold=2")
    wrong = "for n in 1 2 3; do printf 'falsch\\n' | kinit kahn-join@AMT.TEST >/dev/null 2>&1; done; true"
    seats.domain.host.run("sh", "-c", wrong)


def disabled(seats: DomainSeats) -> None:
    seats.domain.tool("user", "disable", "kahn-join")


Trouble = Callable[[DomainSeats], AbstractContextManager[object] | None]
TROUBLES: dict[str, tuple[str, Trouble]] = {
    "wrong password": ("domain_login_refused", lambda seats: seats.keep_secret("falsch")),
    "no secret": ("domain_secret_unusable", lambda seats: seats.secret.unlink()),
    "secret for all": ("domain_secret_unusable", lambda seats: seats.keep_secret(SECRET, mode=0o644)),
    "locked out": ("domain_account_locked", locked_out),
    "disabled": ("domain_account_locked", disabled),
    "silent": ("domain_unreachable", lambda seats: seats.domain.silent()),
    "clock": ("domain_clock_wrong", lambda seats: clock_ahead(seats.new(3), seconds=600)),
    "too long": ("computer_name_unfit", lambda seats: seats.names.update({3: ("", "neu-0003-buergerbuero")})),
    "only figures": ("computer_name_unfit", lambda seats: seats.names.update({3: ("", "4711")})),
    "hostile": ("computer_name_unfit", lambda seats: seats.names.update({3: ("", 'neu"*)(cn=*')})),
    "taken": ("computer_taken", lambda seats: seats.names.update({3: ("", "apc-0004.rz.example")})),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_cannot_be_is_said_and_neither_machine_nor_domain_changes(seats: DomainSeats, name: str) -> None:
    before, first, settings = picture(seats.new(3)), seats.domain.computers(), seats.settings
    cause, begin = TROUBLES[name]
    with begin(seats) or nullcontext():
        found = seats.play("join", 3)[3]
    assert (found.kind, found.cause) == ("failed", cause), found
    seats.domain.tool("domain", "passwordsettings", "set", "--account-lockout-threshold=0")
    seats.domain.tool("user", "enable", "kahn-join")
    seats.domain.tool("user", "unlock", "kahn-join")
    seats.names.clear()
    seats.keep_secret(SECRET)
    seats.settings = settings
    seats.must("join", 3, direction=Direction.UNDO)
    assert (seats.domain.computers(), unlike(before, picture(seats.new(3)))) == (first, [])


def test_an_account_without_rights_in_that_place_is_told_so_before_anything_is_enrolled(seats: DomainSeats) -> None:
    first, settings = seats.domain.computers(), seats.settings
    seats.settings = replace(settings, computers="OU=Domain Controllers,DC=amt,DC=test")
    found = seats.play("join", 3)[3]
    seats.settings = settings
    assert (found.cause, seats.domain.computers()) == ("domain_not_permitted", first), found
    seats.must("join", 3, direction=Direction.UNDO)


def test_accounts_of_old_machines_that_are_not_to_be_touched_are_not(seats: DomainSeats) -> None:
    step, first = "disable-old-account", seats.domain.computers()
    seats.names = {4: ("dc-1", "")}
    assert seats.play(step, 4)[4].cause == "old_account_unfit"
    for odd in ("x)(objectClass=*", "*", "apc-0004-verlaengert", "niemand"):
        seats.names = {4: (odd, "")}
        assert seats.must(step, 4)[4].evidence["kahn"]["account"] == "none", odd
    seats.names = {}
    assert seats.domain.computers() == first
    seats.domain.tool("user", "disable", "APC-0004$")
    off = seats.domain.computers()
    assert seats.must(step, 4)[4].evidence["kahn"]["account"] == "disabled"
    assert seats.answer(step, 4) == "done"
    seats.must(step, 4, direction=Direction.UNDO)
    assert seats.domain.computers() == off != first


def test_preflight_says_it_before_anything_is_touched(seats: DomainSeats) -> None:
    seats.keep_secret("falsch")
    assert seats.play("preflight", 3)[3].cause == "domain_login_refused"
    seats.keep_secret(SECRET)
    seats.names = {3: ("", "apc-0004.rz.example")}
    assert seats.play("preflight", 3)[3].cause == "computer_taken"
    seats.names = {}


POLICY = f"""
[domain]
realm = "{REALM}"
join_account = "{JOINER}"
secret_file = "domain.secret"
controllers = ["dc-1.amt.test"]
"""


@pytest.fixture
def town(seats: DomainSeats, tmp_path: Path) -> Story:
    """The second seat in a wave of its own town, from the command line. Its old machine is a member."""
    seed_user_files(seats.old(2), seed=2, files=6, users=1)
    (seats.old(2).root / "etc/krb5.keytab").write_bytes(b"\x05\x02" + entry(REALM, "APC-0002$"))
    story = a_tenant(a_place(tmp_path, seats.lab, tenant="domain"), policy=a_policy() + POLICY)
    rows = inventory_rows(seats.lab.access("domain"))
    wanted = ("apc-0002", "neu-0002", "vault", "jump")
    an_import(story, {"machines": [one for one in rows["machines"] if one["name"] in wanted]})
    return story


def told_of_the_domain(town: Story) -> list[object]:
    """What the old machine before the first step, and its successor after the last one, told of their domain."""
    kahn = [one["evidence"].get("kahn", {}) for one in town.facts("W02") if one["kind"] == "attempt.ended"]
    return [one["portrait"]["sections"]["domain"] for one in kahn if "portrait" in one]


def test_a_whole_wave_joins_and_disables_and_comes_back(seats: DomainSeats, town: Story) -> None:
    """Approved, refused for its password, mended, moved, compared and taken back, all from the command line."""
    before, first = picture(seats.new(2)), seats.domain.computers()
    secret = town.home / "domains" / town.tenant / "domain.secret"
    secret.parent.mkdir(parents=True)
    secret.write_text("falsch\n")
    secret.chmod(0o600)
    town.kahn("plan", "propose", "--yes", person=ENGINEER)
    shown = town.kahn("wave", "approve", "W01", "--yes", person=APPROVER)
    assert "each successor joins the domain AMT.TEST with the account kahn-join" in shown, shown
    refused = town.tried("wave", "run", "W01", within_s=LONG_S)
    assert town.states() == {"apc-0002": ("held", "domain_login_refused")}, refused
    argv, environment = town.command("--plain", "wave", "show", "W01")
    told = subprocess.run(argv, env=environment | {"KAHN_LANG": "de"}, capture_output=True, text=True, timeout=120)
    assert "die Domäne weist das Beitrittskonto ab" in told.stdout, told.stdout
    assert (seats.domain.computers(), unlike(before, picture(seats.new(2)))) == (first, [])

    secret.write_text(SECRET + "\n")
    town.kahn("plan", "propose", "--yes", person=ENGINEER)
    town.kahn("wave", "approve", "W02", "--yes", person=APPROVER)
    forward = town.tried("wave", "run", "W02", within_s=LONG_S)
    assert town.states("W02") == {"apc-0002": ("moved", "")}, forward
    moved = seats.domain.computers()
    assert "NEU-0002$" in moved and int(moved["APC-0002$"]["userAccountControl"]) & 2
    assert told_of_the_domain(town) == [[{"realm AMT.TEST": "member"}]] * 2  # before and after
    assert places_with(SECRET, town.home) == [str(secret)]
    back = town.tried("wave", "rollback", "W02", "--yes", "--reason", "Probe", person=ENGINEER, within_s=LONG_S)
    assert town.states("W02") == {"apc-0002": ("rolled_back", "asked")}, back
    assert (seats.domain.computers(), unlike(before, picture(seats.new(2)))) == (first, [])
