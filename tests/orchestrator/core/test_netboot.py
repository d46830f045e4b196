"""What a machine gets that boots by network: an installer for a live release, once; never for anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.netboot import (
    MOST_OFFERS,
    PHASES,
    Answer,
    Gets,
    Happening,
    Order,
    Phase,
    Shelf,
    Told,
    asked,
    begins,
    boot_script,
    digest_of,
    reported,
    standing,
)
from orchestrator.core.netboot_site import Site

NOW = datetime(2026, 11, 30, 21, tzinfo=UTC)
ORDER = Order(
    id="o1", asset="seat-1", mac="52:54:00:00:00:07", name="neu-1", address="10.1.0.7", host_key="ssh-ed25519 AAAA",
    until=NOW + timedelta(hours=1),
)  # fmt: skip
TOLD = Told(order="o1", phase=Phase.WRITING, token=digest_of("t1"), offers=1)


def shelf(phase: Phase = Phase.RELEASED, **more: object) -> Shelf:
    return Shelf(order=ORDER, told=replace(TOLD, phase=phase, **more))  # type: ignore[arg-type]


def test_who_is_unknown_gets_nothing_and_who_has_no_release_its_own_disk() -> None:
    assert asked(None, token="t", now=NOW) == Answer(gets=Gets.NOTHING)
    assert asked(Shelf(), token="t", now=NOW) == Answer(gets=Gets.DISK)


def test_a_release_whose_time_is_over_is_not_called_released() -> None:
    """Neither an installer nor a beginning is given any more; what is written or done stays so."""
    late = ORDER.until
    assert standing(shelf(), now=NOW) == "released" and standing(shelf(), now=late) == "over_time"
    assert standing(shelf(Phase.OFFERED), now=late) == "over_time"
    assert standing(shelf(Phase.INSTALLED), now=late) == "installed" and standing(None, now=NOW) == "not_released"
    assert standing(replace(shelf(), is_withdrawn=True), now=NOW) == "withdrawn"


def test_a_live_release_gets_an_installer_and_its_token_is_kept_as_a_digest_first() -> None:
    answer = asked(Shelf(order=ORDER), token="fresh", now=NOW)
    assert answer.gets is Gets.INSTALLER and answer.keep is not None
    assert (answer.keep.phase, answer.keep.token, answer.keep.offers) == (Phase.OFFERED, digest_of("fresh"), 1)


@pytest.mark.parametrize("phase", [Phase.WRITING, Phase.INSTALLED, Phase.FAILED])
def test_a_release_that_was_spent_never_gets_an_installer_again(phase: Phase) -> None:
    assert asked(shelf(phase), token="t", now=NOW).gets is Gets.DISK


def test_neither_does_one_that_was_withdrawn_or_is_over() -> None:
    for one in (shelf(), shelf(Phase.OFFERED)):
        assert asked(replace(one, is_withdrawn=True), token="t", now=NOW) == Answer(gets=Gets.DISK)
        assert asked(one, token="t", now=ORDER.until) == Answer(gets=Gets.DISK)
        assert begins(replace(one, is_withdrawn=True), token="t1", now=NOW).keep is None
        assert begins(one, token="t1", now=ORDER.until).refused


def test_who_asks_while_its_disk_is_written_has_lost_power_and_must_be_released_anew() -> None:
    answer = asked(shelf(Phase.WRITING), token="t", now=NOW)
    assert answer.keep is not None
    assert (answer.keep.phase, answer.keep.cause, answer.keep.token) == (Phase.FAILED, "interrupted", "")


def test_who_fetches_the_installer_again_and_again_without_beginning_has_failed() -> None:
    answer = asked(shelf(Phase.OFFERED, offers=MOST_OFFERS), token="t", now=NOW)
    assert answer.gets is Gets.DISK and answer.keep is not None and answer.keep.cause == "never_began"


def test_the_release_is_spent_by_the_first_that_begins_with_the_last_token() -> None:
    first = begins(shelf(Phase.OFFERED), token="t1", now=NOW)
    assert first.gets is Gets.INSTALLER and first.keep is not None
    again = Shelf(order=ORDER, told=first.keep)
    assert begins(again, token="t1", now=NOW).refused == "spent"
    newer = asked(shelf(Phase.OFFERED), token="t2", now=NOW).keep
    assert begins(Shelf(order=ORDER, told=newer), token="t1", now=NOW).refused == "not_released"


def test_what_was_told_of_an_earlier_order_does_not_count_for_the_next() -> None:
    anew = Shelf(order=replace(ORDER, id="o2"), told=replace(TOLD, phase=Phase.FAILED))
    assert asked(anew, token="t", now=NOW).gets is Gets.INSTALLER
    assert reported(anew, {"token": "t1", "state": "installed"}).refused


def test_an_installation_is_reported_to_its_end() -> None:
    half = reported(shelf(Phase.WRITING), {"token": "t1", "state": "progress", "percent": "50"}).keep
    assert half is not None and half.percent == 50
    back = reported(Shelf(order=ORDER, told=half), {"token": "t1", "state": "progress", "percent": "7"}).keep
    assert back is not None and back.percent == 50
    end = reported(Shelf(order=ORDER, told=half), {"token": "t1", "state": "installed"}).keep
    assert end is not None and (end.phase, end.percent, end.token) == (Phase.INSTALLED, 100, "")
    replayed = reported(Shelf(order=ORDER, told=end), {"token": "t1", "state": "failed", "cause": "no_disk"})
    assert (replayed.keep, replayed.refused) == (None, "not_released")


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ("no_disk", "installer_no_disk"),
        ("<b>", "installer_failed"),
        ("", "installer_failed"),
        ("a\n", "installer_failed"),
    ],
)
def test_a_failure_is_told_with_a_plain_word_as_its_cause(told: str, cause: str) -> None:
    kept = reported(shelf(Phase.WRITING), {"token": "t1", "state": "failed", "cause": told}).keep
    assert kept is not None and (kept.phase, kept.cause) == (Phase.FAILED, cause)


@given(
    phase=st.sampled_from(Phase),
    token=st.sampled_from(["t1", "t2", ""]),
    state=st.sampled_from(["progress", "installed", "failed", "released", ""]),
    gone=st.booleans(),
    percent=st.text(max_size=5),
)
def test_no_report_ever_leads_back_to_a_phase_in_which_an_installer_is_given(
    phase: Phase, token: str, state: str, gone: bool, percent: str
) -> None:
    before = replace(shelf(phase), is_withdrawn=gone)
    answer = reported(before, {"token": token, "state": state, "percent": percent})
    if answer.keep is not None:
        assert token == "t1" and not gone
        assert answer.keep.phase in (Phase.WRITING, Phase.INSTALLED, Phase.FAILED)
        assert 0 <= answer.keep.percent <= 100


def test_no_pair_of_the_table_leads_from_a_written_disk_back_to_an_installer() -> None:
    written = {Phase.WRITING, Phase.INSTALLED, Phase.FAILED}
    assert all(after in written for (before, _), after in PHASES.items() if before in written)
    assert [pair for pair, after in PHASES.items() if after is Phase.WRITING and pair[0] is not Phase.WRITING] == [
        (Phase.OFFERED, Happening.BEGINS)
    ]


def test_only_an_installer_gets_a_kernel_and_its_words() -> None:
    site = Site(url="http://10.1.0.5:8069", disk="/dev/vda", prefix=16, kernel_words="console=ttyS0")
    script = boot_script(Gets.INSTALLER, site=site, words={"mac": ORDER.mac, "token": "t"})
    assert "kahn.mac=52:54:00:00:00:07 kahn.token=t console=ttyS0\n" in script
    assert boot_script(Gets.DISK, site=site, words={"token": "t"}) == (
        "#!ipxe\nsanboot --no-describe --drive 0x80 || exit 1\n"
    )
