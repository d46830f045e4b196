"""A policy as a TOML text: what is right is read, what is wrong is named with file and key."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from inventory.model import Asset, AssetId, AssetKind, TenantId
from orchestrator.core.planning_file import PLANNING_EXAMPLE
from orchestrator.core.policy import Freeze, InvalidPolicy, Policy, Weekday, WeeklyWindow
from orchestrator.core.policy_file import PolicyFileWrong, PolicyRead, read_policy, render_example

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
NIGHT = '[[weekly]]\ndays = ["mon"]\nopens = "22:00"\ncloses = "04:30"\n'


def a_machine_of(**values: str) -> Asset:
    return Asset(
        id=AssetId("pc-1"), tenant=TenantId("stadt"), kind=AssetKind.WORKSTATION, name="PC 1", values=dict(values)
    )


def reading(text: str) -> PolicyRead:
    return read_policy(text, file="policy.toml", now=NOW)


def refusal(text: str) -> tuple[str, str]:
    """Key and reason."""
    with pytest.raises(PolicyFileWrong) as refused:
        reading(text)
    assert refused.value.facts["file"] == "policy.toml"
    return str(refused.value.facts["key"]), str(refused.value.facts["why"])


def test_the_example_is_a_policy_with_every_default() -> None:
    found = reading(render_example())
    nights = WeeklyWindow(days=tuple(Weekday)[:4], opens=time(22), closes=time(4, 30))
    assert found.policy == Policy(weekly=(nights,), contacts=("it-bereitschaft@stadt.example",))
    assert found.warnings == ()


def test_the_parts_that_the_example_leaves_out_are_right_as_well() -> None:
    example = render_example().partition(PLANNING_EXAMPLE)[0]
    full = re.sub(r"^# (\[\[|opens|closes|name|first|last)", r"\1", example, flags=re.MULTILINE)
    policy = reading(full).policy
    assert policy.windows[0].opens == datetime(2027, 1, 16, 7, tzinfo=UTC)
    assert policy.freezes == (Freeze(name="year end", first=date(2026, 12, 18), last=date(2027, 1, 6)),)


def test_an_empty_file_is_the_default_policy_with_a_warning_that_nothing_can_be_planned() -> None:
    found = reading("")
    assert found.policy == Policy()
    assert found.warnings == ("No window is left within 365 days: nothing can be planned.",)


def test_times_may_be_written_in_tomls_own_way_too() -> None:
    policy = reading('[[weekly]]\ndays = ["sun", "sat"]\nopens = 08:00:00\ncloses = "24:00"\n').policy
    assert policy.weekly == (WeeklyWindow(days=(Weekday.SAT, Weekday.SUN), opens=time(8), closes=time(0)),)


def test_a_whole_day_ends_at_24_00() -> None:
    assert reading('[[weekly]]\ndays = ["sat"]\nopens = "00:00"\ncloses = "24:00"\n').policy.weekly[0].closes == time()


def test_kinds_and_runbooks_are_read() -> None:
    policy = reading('[runbooks]\nnotebook = "replace-notebook"\n').policy
    assert policy.runbooks == {AssetKind.NOTEBOOK: "replace-notebook"}


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("capacity = 5", "capacity", "unknown key"),
        ('[[weekly]]\ndays = ["mon"]\nopens = "22:00"\ncloses = "23:00"\nroom = 1', "weekly[1].room", "unknown key"),
        ("assets_per_window = 0", "assets_per_window", "0 is not between 1"),
        ("assets_per_window = true", "assets_per_window", "whole number"),
        ("batch_size = 2.5", "batch_size", "whole number"),
        ("canary_size = -1", "canary_size", "not between 0"),
        ("probe_gap_s = 99999999999999999999999", "probe_gap_s", "not between"),
        ("batch_budget = 20", "batch_budget", "not between 0 and 1"),
        ("wave_budget = nan", "wave_budget", "not between 0 and 1"),
        ("horizon_days = 1_000_000", "horizon_days", "not between"),
        ('zone = "Europe/Cottbus"', "zone", "no time zone"),
        ('zone = "../../etc/passwd"', "zone", "no time zone"),
        ("zone = 1", "zone", "name of a time zone"),
        ('holidays = "Brandenburg"', "holidays", "no German state"),
        ("contacts = [1]", "contacts", "list of texts"),
        ("weekly = 1", "weekly", "[[weekly]]"),
        ("weekly = [1]", "weekly[1]", "table"),
        (NIGHT.replace("mon", "0"), "weekly[1].days", "from mon, tue"),
        (NIGHT.replace('"mon"', ""), "weekly[1].days", "list of days"),
        (NIGHT.replace("22:00", "25:00"), "weekly[1].opens", "a time such as 22:00"),
        (NIGHT.replace("22:00", "22:60"), "weekly[1].opens", "'22:60'"),
        (NIGHT.replace('closes = "04:30"', ""), "weekly[1].closes", "not nothing"),
        (NIGHT.replace("04:30", "22:00"), "weekly[1].closes", "lasts 0 s"),
        ("[[window]]\nopens = 2026-12-05T18:00:00\ncloses = 2026-12-05T08:00:00", "window[1].closes", "but opens at"),
        ("[[window]]\nopens = 2026-12-05T08:00:00\ncloses = 2026-12-05T08:00:00", "window[1].closes", "lasts 0 s"),
        ("[[window]]\nopens = 2026-12-05\ncloses = 2026-12-06", "window[1].opens", "a date and time"),
        ("[[window]]\nopens = 2027-03-28T02:30:00\ncloses = 2027-03-28T05:00:00", "window[1].opens", "does not exist"),
        ("[[window]]\nopens = 0001-01-01T00:00:00\ncloses = 2027-03-28T05:00:00", "window[1].opens", "out of reach"),
        ("[[freeze]]\nfirst = 2026-12-01\nlast = 2026-12-02", "freeze[1].name", "a name is wanted"),
        ('[[freeze]]\nname = "x"\nfirst = 2026-12-03\nlast = 2026-12-02', "freeze[1].last", "before it begins"),
        ('[[freeze]]\nname = "x"\nfirst = "2026-12-03"\nlast = 2026-12-02', "freeze[1].first", "without quotation"),
        ('[runbooks]\ncomputer = "x"', "runbooks.computer", "unknown key"),
        ('[runbooks]\nserver = "../../etc"', "runbooks.server", "cannot be the name"),
        ("batch_size = 3\nbatch_size = 4", "TOML", "Cannot overwrite"),
        ("batch_size = ", "TOML", "end of document"),
        ("a b", "TOML", "line 1"),
        ("contacts = " + "[" * 5_000, "TOML", ""),
        ("\x00", "TOML", "line 1"),
        ("[[freeze]]\n" * 201, "freeze", "more than 200"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(text: str, key: str, why: str) -> None:
    found = refusal(text)
    assert found[0] == key
    assert why in found[1]


def test_a_window_or_freeze_that_has_passed_is_only_a_warning() -> None:
    past = "[[window]]\nopens = 2026-11-01T08:00:00+01:00\ncloses = 2026-11-01T09:00:00+01:00\n"
    old = '[[freeze]]\nname = "fair"\nfirst = 2026-11-01\nlast = 2026-11-02\n'
    assert reading(NIGHT + past + old).warnings == (
        "The window that closes at 2026-11-01T08:00+00:00 has passed.",
        "The freeze 'fair' ended on 2026-11-02.",
    )


def test_a_canary_as_large_as_the_wave_is_a_warning() -> None:
    assert "The canary is as large" in reading("canary_size = 5\nassets_per_window = 5\n" + NIGHT).warnings[0]


def test_what_people_move_is_read_and_never_with_a_runbook_for_machines() -> None:
    policy = reading('[by_hand]\nworkstation = "at-desks"\n').policy
    assert policy.by_hand == {AssetKind.WORKSTATION: "at-desks"}
    with pytest.raises(InvalidPolicy, match="by_hand"):
        Policy(by_hand={AssetKind.WORKSTATION: "replace-workstation"})


def test_windows_machines_go_by_psrp_where_the_policy_says_so_and_not_by_hand_as_well() -> None:
    policy = reading('[by_psrp]\nworkstation = "replace-windows-seat"\n').policy
    windows = a_machine_of(os_name="Windows 11 Pro")
    servers = reading('[by_psrp]\nserver = "move-windows-server"\n').policy
    server = replace(a_machine_of(os_name="Windows Server 2019"), kind=AssetKind.SERVER)
    assert (servers.runbook_of(server), servers.runbook_of(windows)) == ("move-windows-server", "replace-workstation")
    assert policy.runbook_of(windows) == "replace-windows-seat"
    assert policy.runbook_of(a_machine_of(os_name="Debian 12")) == "replace-workstation"
    with pytest.raises(InvalidPolicy, match="by_psrp"):
        Policy(by_psrp={AssetKind.WORKSTATION: "a"}, by_hand={AssetKind.WORKSTATION: "b"})
    with pytest.raises(InvalidPolicy, match="by_hand"):
        Policy(by_psrp={AssetKind.WORKSTATION: "a"}, by_hand={AssetKind.NOTEBOOK: "a"})


def test_a_policy_without_runbooks_is_a_warning() -> None:
    assert reading(NIGHT + "[runbooks]\n").warnings == ("No kind of asset has a runbook: nothing can move.",)


def test_a_runbook_either_moves_or_retires() -> None:
    policy = reading('[retire]\nserver = "retire-asset"\n').policy
    assert policy.retire == {AssetKind.SERVER: "retire-asset"}
    with pytest.raises(InvalidPolicy, match="retire"):
        Policy(retire={AssetKind.SERVER: "replace-workstation"})


def test_how_long_old_machines_are_kept_stands_beside_the_runbooks_that_retire() -> None:
    assert reading("[retire]\nkeep_days = 30\n").policy.keep_days == 30
    assert reading('[retire]\nserver = "retire-asset"\n').policy.keep_days == 90
    for wrong in ("keep_days = -1", 'keep_days = "a month"', "keep_days = true", "keep_day = 3"):
        with pytest.raises(PolicyFileWrong, match="retire"):
            reading(f"[retire]\n{wrong}\n")
