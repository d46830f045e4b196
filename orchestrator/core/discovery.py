"""What discovery got from one machine: its report as it came, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.model import AssetId
from orchestrator.core.host_keys import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsAnswer:
    """One machine's report, not yet understood, and the weak algorithms that were needed to get it; or the trouble.

    Codes of the trouble are those of a scan, and: no_host_key, key_mismatch, login, no_report, too_late, too_much.
    """

    asset: AssetId
    text: str = ""
    weak: tuple[str, ...] = ()
    trouble: Trouble | None = None

    def findings(self) -> tuple[str, ...]:
        """What the way to the machine tells about it."""
        if not self.weak:
            return ()
        return (f"ssh: reached with weak algorithms only: {', '.join(self.weak)}",)
