"""How the administrator lets Kahn reach machines. Profiles are referred to by name and never imported."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from inventory.errors import ExpectedError
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

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidAccess(name=self.name[:40], field="name", value=self.name[:40], why="use a-z, 0-9, - and _")
        if not _USER.fullmatch(self.user) or (self.jump and not _USER.fullmatch(self.jump.user)):
            raise InvalidAccess(name=self.name, field="user", value=self.user[:40], why="it is no account name")
        if not 1 <= self.port <= 65535 or (self.jump and not 1 <= self.jump.port <= 65535):
            raise InvalidAccess(name=self.name, field="port", value=self.port, why="ports lie between 1 and 65535")
        if not self.key_file.startswith("/"):
            raise InvalidAccess(name=self.name, field="key_file", value=self.key_file, why="give an absolute path")
