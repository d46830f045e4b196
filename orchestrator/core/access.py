"""How the administrator lets Kahn reach machines. Profiles are referred to by name and never imported."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from inventory.errors import ExpectedError
from inventory.psrp_options import LOGINS, PLAIN_PORT, Psrp, is_account
from orchestrator.core.canonical import LATER

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


class InvalidAccess(ExpectedError):
    """An access profile that cannot work."""

    code, says = "ACC-001", "Access profile {name}: {field} {value!r} is not valid: {why}."
    remedy = "Set the profile again with `kahn access add`."


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpHost:
    """The host through which machines are reached; its host key is checked as strictly as theirs."""

    address: str
    host_key: str
    port: int = 22
    user: str = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessProfile:
    """User, port, privilege, key file and jump host for a set of machines. Raises InvalidAccess."""

    name: str
    user: str
    key_file: str
    port: int = 22
    become: bool = False
    jump: JumpHost | None = None
    legacy: bool = field(default=False, metadata=LATER)
    """Whether discovery may use weak algorithms (SHA-1, CBC, ssh-rsa) with these machines; each one is a finding."""
    psrp: Psrp | None = field(default=None, metadata=LATER)
    """For machines that run Windows and are reached by PSRP; the key file then holds the password, or the private key
    of the certificate."""

    @property
    def transport(self) -> str:
        """ssh or psrp."""
        return "ssh" if self.psrp is None else "psrp"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidAccess(name=self.name[:40], field="name", value=self.name[:40], why="use a-z, 0-9, - and _")
        if self.psrp and self.port == PLAIN_PORT:
            why = "this is WinRM's port for plain HTTP; Kahn speaks HTTPS only, usually by port 5986"
            raise InvalidAccess(name=self.name, field="port", value=self.port, why=why)
        user_fits = is_account(self.user) if self.psrp else _USER.fullmatch(self.user)
        if not user_fits or (self.jump and not _USER.fullmatch(self.jump.user)):
            raise InvalidAccess(name=self.name, field="user", value=self.user[:40], why="it is no account name")
        if not 1 <= self.port <= 65535 or (self.jump and not 1 <= self.jump.port <= 65535):
            raise InvalidAccess(name=self.name, field="port", value=self.port, why="ports lie between 1 and 65535")
        if not self.key_file.startswith("/"):
            raise InvalidAccess(name=self.name, field="key_file", value=self.key_file, why="give an absolute path")
        if self.psrp is not None:
            self._check_psrp(self.psrp)

    def _check_psrp(self, way: Psrp) -> None:
        odd = [name for name in ("become", "jump", "legacy") if getattr(self, name)]
        if odd:
            raise InvalidAccess(name=self.name, field=odd[0], value=True, why="PSRP knows no such thing")
        if way.login not in LOGINS:
            raise InvalidAccess(name=self.name, field="login", value=way.login[:40], why=f"use {', '.join(LOGINS)}")
        if (way.login == "certificate") != bool(way.certificate_file):
            why = "a certificate belongs to the login by certificate, and to no other"
            raise InvalidAccess(name=self.name, field="certificate", value=way.certificate_file, why=why)
        if way.certificate_file and not way.certificate_file.startswith("/"):
            why = "give an absolute path"
            raise InvalidAccess(name=self.name, field="certificate", value=way.certificate_file, why=why)
