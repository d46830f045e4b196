"""Network boot: what a machine that asks by its hardware address gets now, and when its disk is released. Pure.

Three records a machine, each with one writer: the *order* (the release of its disk, placed by a run of an approved
wave), its *withdrawal* (by the same hand) and what is *told* (by the boot server). The state is a fold of the three.
A release holds once: it is spent when the installer says that it begins to write.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from orchestrator.core.netboot_site import Site

MOST_OFFERS = 5
"""So often one release is offered to a machine that comes back without having begun; then it has failed."""
_CAUSE = re.compile(r"[a-z][a-z_]{0,40}\Z")


class Phase(StrEnum):
    """How far an order came."""

    RELEASED = "released"
    OFFERED = "offered"
    WRITING = "writing"
    INSTALLED = "installed"
    FAILED = "failed"


class Happening(StrEnum):
    """What a machine does that may change the phase of its order."""

    ASKS = "asks"
    BEGINS = "begins"
    PROGRESSES = "progresses"
    ENDS = "ends"
    FAILS = "fails"


PHASES: Mapping[tuple[Phase, Happening], Phase] = MappingProxyType({
    (Phase.RELEASED, Happening.ASKS): Phase.OFFERED,
    (Phase.OFFERED, Happening.ASKS): Phase.OFFERED,
    (Phase.WRITING, Happening.ASKS): Phase.FAILED,
    (Phase.OFFERED, Happening.BEGINS): Phase.WRITING,
    (Phase.WRITING, Happening.PROGRESSES): Phase.WRITING,
    (Phase.WRITING, Happening.ENDS): Phase.INSTALLED,
    (Phase.OFFERED, Happening.FAILS): Phase.FAILED,
    (Phase.WRITING, Happening.FAILS): Phase.FAILED,
})  # fmt: skip
"""Every step that there is; any other pair changes nothing. Who asks while it writes has lost power in the midst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The release of one machine's disk. ``until`` (UTC): nothing is offered and nothing begins from then on."""

    id: str
    asset: str
    mac: str
    name: str
    address: str
    host_key: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the boot server knows of an order. ``token`` is the SHA-256 of the one that the boot script carried."""

    order: str
    phase: Phase = Phase.RELEASED
    token: str = ""
    offers: int = 0
    percent: int = 0
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """All that is known of a hardware address; no order means that its disk is not released."""

    order: Order | None = None
    told: Told | None = None
    is_withdrawn: bool = False

    @property
    def now(self) -> Told | None:
        """What is told of the order at hand; what is left of an earlier one does not count."""
        if self.order is None:
            return None
        fits = self.told is not None and self.told.order == self.order.id
        return self.told if fits else Told(order=self.order.id)


class Gets(StrEnum):
    """What a machine gets that asks what to boot."""

    NOTHING = "nothing"
    DISK = "disk"
    INSTALLER = "installer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered, and what must be on disk before it is; ``refused`` says why a report is not believed."""

    gets: Gets = Gets.NOTHING
    refused: str = ""
    keep: Told | None = None


def standing(shelf: Shelf | None, *, now: datetime) -> str:
    """How a machine's order stands, in one word: its phase, or why nothing is offered and nothing begins any more."""
    if shelf is None or shelf.order is None or shelf.now is None:
        return "not_released"
    if shelf.is_withdrawn:
        return "withdrawn"
    late = now >= shelf.order.until and shelf.now.phase in (Phase.RELEASED, Phase.OFFERED)
    return "over_time" if late else shelf.now.phase.value


def digest_of(token: str) -> str:
    """A token as it is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def asked(shelf: Shelf | None, *, token: str, now: datetime) -> Answer:
    """What a machine gets. An installer only for a live release; ``token`` is fresh and goes into its script.

    None as the shelf stands for a hardware address that nobody knows.
    """
    if shelf is None:
        return Answer(gets=Gets.NOTHING)
    told = shelf.now
    if shelf.order is None or told is None or shelf.is_withdrawn:
        return Answer(gets=Gets.DISK)
    if told.phase is Phase.WRITING:
        return Answer(gets=Gets.DISK, keep=_moved(told, Happening.ASKS, cause="interrupted", token=""))
    if (told.phase, Happening.ASKS) not in PHASES or now >= shelf.order.until:
        return Answer(gets=Gets.DISK)
    if told.offers >= MOST_OFFERS:
        return Answer(gets=Gets.DISK, keep=_moved(told, Happening.FAILS, cause="never_began", token=""))
    kept = _moved(told, Happening.ASKS, token=digest_of(token), offers=told.offers + 1)
    return Answer(gets=Gets.INSTALLER, keep=kept)


def begins(shelf: Shelf | None, *, token: str, now: datetime) -> Answer:
    """Whether the installer may write now. It spends the release: only one call of this ever gets *installer*."""
    why = _refusal(shelf, token)
    if why or shelf is None or shelf.order is None or shelf.now is None:
        return Answer(refused=why or "not_released")
    if now >= shelf.order.until:
        return Answer(refused="too_late")
    if (shelf.now.phase, Happening.BEGINS) not in PHASES:
        return Answer(refused="spent")
    return Answer(gets=Gets.INSTALLER, keep=_moved(shelf.now, Happening.BEGINS))


def reported(shelf: Shelf | None, report: Mapping[str, str]) -> Answer:
    """What follows from an installer's report: its ``token``, ``state``, ``percent``, ``cause``.

    Texts of a machine are not believed: a percentage is a number, a cause a plain word.
    """
    why = _refusal(shelf, report.get("token", ""))
    if why or shelf is None or shelf.now is None:
        return Answer(refused=why or "not_released")
    happening = _HAPPENINGS.get(report.get("state", ""))
    if happening is None or (shelf.now.phase, happening) not in PHASES:
        return Answer(refused="out_of_turn")
    if happening is Happening.FAILS:
        told = report.get("cause", "")
        cause = f"installer_{told}" if _CAUSE.match(told) else "installer_failed"
        return Answer(keep=_moved(shelf.now, happening, cause=cause, token=""))
    if happening is Happening.ENDS:
        return Answer(keep=_moved(shelf.now, happening, percent=100, token=""))
    percent = report.get("percent", "")
    count = int(percent) if re.fullmatch(r"\d{1,3}", percent, re.ASCII) else 0
    return Answer(keep=_moved(shelf.now, happening, percent=max(shelf.now.percent, min(count, 99))))


_HAPPENINGS: Mapping[str, Happening] = MappingProxyType({
    "progress": Happening.PROGRESSES,
    "installed": Happening.ENDS,
    "failed": Happening.FAILS,
})  # fmt: skip


def _moved(told: Told, happening: Happening, **changed: object) -> Told:
    return replace(told, phase=PHASES[told.phase, happening], **changed)  # type: ignore[arg-type]


def _refusal(shelf: Shelf | None, token: str) -> str:
    """Why nobody with this token is believed; the same for a wrong token and none, so that nothing is learned."""
    if shelf is None or shelf.now is None or not shelf.now.token:
        return "not_released"
    if not hmac.compare_digest(shelf.now.token, digest_of(token)):
        return "not_released"
    return "withdrawn" if shelf.is_withdrawn else ""


def boot_script(gets: Gets, *, site: Site, words: Mapping[str, str]) -> str:
    """The iPXE script for a known machine. ``words`` go to the installer's kernel as ``kahn.NAME=VALUE``."""
    if gets is not Gets.INSTALLER:
        return f"#!ipxe\n{site.disk_boot}\n"
    told = " ".join([*(f"kahn.{name}={value}" for name, value in words.items()), site.kernel_words])
    files = f"{site.url}/files"
    return f"#!ipxe\nkernel {files}/kernel {told.strip()}\ninitrd {files}/initrd\nboot\n"
