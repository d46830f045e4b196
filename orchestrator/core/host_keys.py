"""Host keys that machines show: how they are named for people, and what a shown key means for the inventory."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from inventory.model import Asset, AssetId
from inventory.psrp_options import is_certificate
from orchestrator.core.access import AccessProfile
from orchestrator.core.explain import Sentence

SHORT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "ssh-ed25519": "ED25519",
        "ssh-rsa": "RSA",
        "ecdsa-sha2-nistp256": "ECDSA",
        "ecdsa-sha2-nistp384": "ECDSA",
        "ecdsa-sha2-nistp521": "ECDSA",
    }
)
"""Key types that may stand in the inventory, and what ``ssh-keygen -l`` calls them."""


class Verdict(StrEnum):
    """What a shown key means for the inventory."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a machine shows its key, how one gets there, and the key that is known (``type base64``, or empty)."""

    asset: AssetId
    address: str
    profile: AccessProfile
    known: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why no key was seen: a code for programs and a sentence for people.

    Codes: no_address, no_access, profile_unknown, unreachable, refused, no_banner, no_common_algorithm, broke_off,
    key_file, jump_unreachable, jump_refused, jump_no_banner, jump_no_common_algorithm, jump_broke_off,
    jump_key_mismatch, jump_login, jump_forbids; of machines reached by PSRP also those of adapters/psrp.py.
    """

    code: str
    told: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAnswer:
    """What one door showed: a key as ``type base64``, or the trouble that came between."""

    asset: AssetId
    key: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A machine with the key the inventory has, the key it shows, and the verdict. ``after`` is empty on failure."""

    asset: Asset
    verdict: Verdict
    before: str = ""
    after: str = ""
    via: str = ""
    """Address of the jump host; empty when the machine was reached directly."""
    twins: tuple[str, ...] = ()
    """Other machines that show or have the very same key: copied from one image, or one machine under two names."""
    trouble: Trouble | None = None


def fingerprint(key: str) -> str:
    """SHA-256 of a key ``type base64`` as ``ssh-keygen -l`` writes it; empty for none, ``?`` if unreadable."""
    if not key:
        return ""
    try:
        digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    except (IndexError, ValueError):
        return "?"
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def named_key(key: str) -> str:
    """Fingerprint and type as people compare them: ``SHA256:... (ED25519)``; empty for no key."""
    if is_certificate(key):
        return f"{fingerprint(key)} (X.509)"
    return f"{fingerprint(key)} ({SHORT_TYPES.get(key.split()[0], key.split()[0])})" if key else ""


def finding_of(asset: Asset, answer: KeyAnswer, *, via: str = "") -> Finding:
    """The verdict on one answer. Another key than the known one is always CHANGED, also when its type differs."""
    before = asset.text("host_key")
    if answer.trouble is not None:
        return Finding(asset=asset, verdict=Verdict.FAILED, before=before, via=via, trouble=answer.trouble)
    verdict = Verdict.NEW if not before else Verdict.SAME if before == answer.key else Verdict.CHANGED
    return Finding(asset=asset, verdict=verdict, before=before, after=answer.key, via=via)


def users_of_keys(assets: Iterable[Asset], findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """For each key, the names of the machines that have it in the inventory or show it now."""
    found: dict[str, set[str]] = {}
    for asset in assets:
        if key := asset.text("host_key"):
            found.setdefault(key, set()).add(asset.name)
    for one in findings:
        if one.after:
            found.setdefault(one.after, set()).add(one.asset.name)
    return {key: tuple(sorted(names)) for key, names in found.items()}
