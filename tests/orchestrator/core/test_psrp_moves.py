"""What cannot be kept on Windows is refused when a wave is proposed, not when it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.psrp_options import Psrp, certificate_host_key
from orchestrator.core.access import AccessProfile
from orchestrator.core.psrp_moves import OnceByPsrp, ProofMismatch, check_psrp
from orchestrator.core.runbook import Effect, Runbook
from tests.run_orders import NOBODYS_KEY, a_move, a_runbook

CERTIFICATE = certificate_host_key(b"\x30\x82\x01\x00" + bytes(256))
WINDOWS = AccessProfile(name="admin", user="kahn", key_file="/etc/kahn/p", port=5986, psrp=Psrp())
LINUX = AccessProfile(name="admin", user="root", key_file="/etc/kahn/k")


def with_effect(effect: Effect) -> Runbook:
    runbook = a_runbook()
    return replace(runbook, steps=tuple(replace(one, effect=effect) for one in runbook.steps))


def test_a_step_that_may_be_repeated_goes_by_psrp() -> None:
    moves = (a_move("pc-1", address="pc1.example", host_key=CERTIFICATE),)
    check_psrp(moves, with_effect(Effect.IDEMPOTENT), {"admin": WINDOWS})


def test_a_step_that_may_never_happen_twice_does_not() -> None:
    moves = (a_move("pc-1", address="pc1.example", host_key=CERTIFICATE),)
    with pytest.raises(OnceByPsrp, match="act"):
        check_psrp(moves, with_effect(Effect.ONCE), {"admin": WINDOWS})


@pytest.mark.parametrize(("profile", "key"), [(WINDOWS, NOBODYS_KEY), (LINUX, CERTIFICATE)])
def test_the_known_key_is_of_the_kind_that_the_way_needs(profile: AccessProfile, key: str) -> None:
    moves = (a_move("pc-1", address="pc1.example", host_key=key),)
    with pytest.raises(ProofMismatch):
        check_psrp(moves, with_effect(Effect.IDEMPOTENT), {"admin": profile})
