"""What a tenant wants confirmed before a wave starts: staff council, data protection, a vendor's release, ..."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


class Reach(StrEnum):
    """For what one confirmation counts."""

    TENANT = "tenant"
    RUNBOOK = "runbook"
    WAVE = "wave"
    ASSET = "asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One gate that a person opens by confirming something. Without a confirmation it blocks the wave, or holds the
    asset where the confirmation is one about assets."""

    name: str
    reach: Reach = Reach.WAVE
    owner: str = ""
    """Who can confirm it, as the house calls them; shown beside the gate."""
    max_age_days: int = 0
    """A confirmation that is older does not count; 0 for any age."""
    per_person: int = 0
    """For staff: so many assets need one person; 0 when no number is confirmed."""


REHEARSAL = "rehearsal"
"""The gate that a rehearsal opens by itself."""
KNOWN: Mapping[str, Demand] = MappingProxyType(
    {
        one.name: one
        for one in (
            Demand(name="staff-council", reach=Reach.TENANT, owner="Personalrat"),
            Demand(name="data-protection", reach=Reach.TENANT, owner="Datenschutz"),
            Demand(name="vendor-release", reach=Reach.RUNBOOK, owner="Verfahrensbetreuung"),
            Demand(name=REHEARSAL, reach=Reach.RUNBOOK, owner="Migration", max_age_days=90),
            Demand(name="backup-restored", reach=Reach.ASSET, owner="Administration", max_age_days=30),
            Demand(name="hardware", reach=Reach.ASSET, owner="Lager"),
            Demand(name="staff", reach=Reach.WAVE, owner="Leitung", per_person=20),
        )
    }
)
"""Gates that most towns have, with what is usual. A policy names those that it wants and may say otherwise."""
