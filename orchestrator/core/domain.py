"""The domain of a tenant (Active Directory), as a runbook must know it: realm, join account, its secret's place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inventory.errors import ExpectedError

REALM = re.compile(r"([A-Z0-9]([A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z]([A-Z0-9-]{0,61}[A-Z0-9])?")
ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
SECRET_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
CONTROLLER = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
PLACE = re.compile(r"(CN|OU)=[^=,;<>\"\\+\0\n]{1,64}(,(CN|OU|DC)=[^=,;<>\"\\+\0\n]{1,64})+", re.IGNORECASE)
MOST_CONTROLLERS = 10


class InvalidDomain(ExpectedError):
    """Settings of a domain that cannot work."""

    code, says = "PLAN-070", "The domain: {key}: {why}."
    remedy = "Correct it under [domain] in the policy file; `kahn tenant policy --example` explains every entry."
    exit_code = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSettings:
    """The domain whose member each successor becomes, and in which the old machine's account is disabled.

    No secret stands here: it is the first line of a file of the tenant's. Raises InvalidDomain.
    """

    realm: str
    """In capitals, such as AMT.STADT.EXAMPLE; the DNS domain is the same in small letters."""
    join_account: str
    """Name of the account that may make, change and delete computers."""
    secret_file: str
    """Name of the file with its password, in the tenant's own folder: `domains/TENANT` of the state directory."""
    controllers: tuple[str, ...] = ()
    """Names of domain controllers, the first that answers is taken; empty: those that DNS knows."""
    computers: str = ""
    """Where accounts are made, such as OU=Seats,DC=amt,DC=stadt,DC=example; empty: CN=Computers of the domain."""

    def __post_init__(self) -> None:
        self._check("realm", REALM, "the realm in capitals is wanted, such as AMT.STADT.EXAMPLE")
        self._check("join_account", ACCOUNT, "the plain name of an account is wanted, without realm and domain")
        self._check("secret_file", SECRET_FILE, "the name of a file of the tenant's folder is wanted, without a path")
        if self.computers:
            self._check("computers", PLACE, "a place such as OU=Seats,DC=amt,DC=stadt,DC=example is wanted")
            self._check_domain_of_place()
        if len(self.controllers) > MOST_CONTROLLERS:
            raise InvalidDomain(key="controllers", why=f"at most {MOST_CONTROLLERS} are taken")
        for name in self.controllers:
            if len(name) > 253 or not CONTROLLER.fullmatch(name):
                raise InvalidDomain(key="controllers", why=f"{name[:80]!r} is no whole host name")

    def _check_domain_of_place(self) -> None:
        """A slip there would be found out by the first seat of the night."""
        parts = [part.partition("=") for part in self.computers.split(",")]
        domain = ".".join(value for kind, _equals, value in parts if kind.upper() == "DC")
        if domain.upper() != self.realm:
            raise InvalidDomain(key="computers", why=f"it lies in {domain.upper()[:80]!r}, not in {self.realm}")

    def _check(self, key: str, form: re.Pattern[str], why: str) -> None:
        if not form.fullmatch(getattr(self, key)):
            raise InvalidDomain(key=key, why=why)
