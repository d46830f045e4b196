"""A directory and its Kerberos in memory, for rules about accounts; the real ones are asked in the lab."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from tests.playbooks.modules import Trouble, shared

ldap = shared("kahn_ldap")


class DirectoryTwin:
    """What `Directory` answers: names of accounts -> account. ``meanwhile`` happens just before the next change."""

    def __init__(self) -> None:
        self.accounts: dict[str, Any] = {}
        self.changes = 0
        self.meanwhile = lambda: None

    def put(self, name: str, *, control: int = ldap.NEW, description: str = "") -> Any:
        """An account that somebody made."""
        number = f"{len(self.accounts) + 1:02x}" * 16
        made = ldap.Computer(
            {
                "dn": [f"CN={name},CN=Computers,DC=amt,DC=test".encode()],
                "objectguid": [bytes.fromhex(number)],
                "useraccountcontrol": [str(control).encode()],
                "description": [description.encode()] if description else [b""],
            }
        )
        self.accounts[name] = made
        return made

    def named(self, computer: str) -> Any:
        return self._copy(self.accounts.get(computer))

    def known_as(self, guid: str) -> Any:
        return self._copy(next((one for one in self.accounts.values() if one.guid == guid), None))

    @staticmethod
    def _copy(account: Any) -> Any:
        if account is None:
            return None
        made = object.__new__(type(account))
        made.__dict__.update(account.__dict__)
        return made

    def add(self, computer: str, *, within: str, mark: str) -> None:
        self._change()
        if computer in self.accounts:
            raise Trouble("computer_taken", "taken")
        self.put(computer, description=mark)

    def change(self, account: Any, *, control: int, description: str) -> None:
        self._change()
        real = next(one for one in self.accounts.values() if one.guid == account.guid)
        if (real.control, real.description) != (account.control, account.description):
            raise Trouble("account_changed", "changed")
        real.control, real.description = control, description

    def remove(self, account: Any) -> None:
        self._change()
        self.accounts = {name: one for name, one in self.accounts.items() if one.guid != account.guid}

    def _change(self) -> None:
        self.changes += 1
        act, self.meanwhile = self.meanwhile, lambda: None
        act()


class KerberosTwin:
    """A keytab holds the name of the account it was made for; enrolling writes it."""

    def __init__(self, directory: DirectoryTwin, root: Path, realm: str = "AMT.TEST") -> None:
        self.directory, self.root, self.realm = directory, root, realm
        self.controller, self.ticket = "dc-1.amt.test", "FILE:/dev/null"
        self.refuses = ""

    def works_for(self, computer: str, keytab: str) -> bool:
        path, account = Path(keytab), self.directory.accounts.get(computer)
        return account is not None and path.exists() and path.read_text() == account.guid

    def run(self, argv: list[str], said: str = "") -> tuple[int, str]:
        assert argv[:2] == ["adcli", "join"], argv
        if self.refuses:
            return 1, self.refuses
        words = dict(one.removeprefix("--").split("=", 1) for one in argv[2:])
        Path(words["host-keytab"]).write_text(self.directory.accounts[words["computer-name"]].guid)
        return 0, ""


def in_base64(text: str) -> str:
    """A value as LDIF has it."""
    return base64.b64encode(text.encode()).decode()
