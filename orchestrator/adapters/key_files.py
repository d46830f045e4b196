"""Private keys of access profiles: whether this machine could use them, without using them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from orchestrator.core.access import AccessProfile

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def key_trouble(profile: AccessProfile) -> str:
    """Why the profile's private key, or the file with its password, cannot be used; empty when it can."""
    certificate = profile.psrp.certificate_file if profile.psrp else ""
    if certificate and not os.access(certificate, os.R_OK):
        return "its certificate cannot be read"
    file = Path(profile.key_file)
    try:
        mode = file.stat().st_mode
    except OSError as error:
        return error.strerror or "it cannot be looked at"
    if not stat.S_ISREG(mode):
        return "it is no file"
    if not os.access(file, os.R_OK):
        return "it cannot be read"
    if mode & _OTHERS:
        return "others may read it" if profile.psrp else "others may read it, so SSH refuses it"
    return ""
