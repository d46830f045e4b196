"""What must be so of a wave whose machines are reached by PSRP, before it may be proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inventory.errors import ExpectedError
from inventory.psrp_options import is_certificate
from orchestrator.core.access import AccessProfile
from orchestrator.core.runbook import Effect, Runbook
from orchestrator.core.wave import WaveMove


class OnceByPsrp(ExpectedError):
    """A step that may never happen twice, on a machine on which Kahn cannot keep a receipt."""

    code, says = "PLAN-035", "{machine} is reached by PSRP, but step {step} of {runbook} there is of effect once."
    remedy = (
        "Kahn keeps no claim and no receipt on Windows, so nobody could tell whether it began. "
        "Make the step idempotent, a manual one, or one on another machine."
    )


class ProofMismatch(ExpectedError):
    """A machine whose known key is not of the kind that its way needs."""

    code, says = "ACC-013", "{machine} is reached by {transport}, but its known host key is {found}."
    remedy = "Run `kahn asset scan` for it, or import its `host_key`: PSRP needs a certificate (x509 ...), ssh a key."


def check_psrp(moves: Sequence[WaveMove], runbook: Runbook, profiles: Mapping[str, AccessProfile]) -> None:
    """Raises OnceByPsrp, ProofMismatch."""
    if not runbook.touches_machines:
        return
    once = {one.on: one.name for one in runbook.steps if one.effect is Effect.ONCE and (one.playbook or one.external)}
    for move in moves:
        for machine in move.machines:
            profile = profiles.get(machine.access)
            if profile is None:
                continue
            if bool(profile.psrp) != is_certificate(machine.host_key):
                found = "a certificate" if is_certificate(machine.host_key) else "one of ssh"
                raise ProofMismatch(machine=machine.name, transport=profile.transport, found=found)
            if profile.psrp and machine.role in once:
                raise OnceByPsrp(machine=machine.name, step=once[machine.role], runbook=runbook.name)
