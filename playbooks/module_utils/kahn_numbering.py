"""Owners of carried files where both hosts know the same account by another number: translated on the new host.

Packages give their accounts the next free number below 1000, so two servers seldom agree on it. The new host's end
translates what comes in, and back what goes out; the old host sees its own numbers alone. Python 3.9, standard library
only.
"""

from __future__ import annotations

import base64
import json
import struct

_ACLS = ("system.posix_acl_access", "system.posix_acl_default")
_ENTRY = struct.Struct("<HHI")
_USER, _GROUP = 0x02, 0x08


class Numbering:
    """Numbers of users and groups: {"users": {there: here}, "groups": {there: here}}; JSON's keys may be texts."""

    def __init__(self, told):
        self._users, self._groups = (_whole(told.get(kind, {})) for kind in ("users", "groups"))

    def __bool__(self):
        return bool(self._users or self._groups)

    def back(self):
        """The way back."""
        kinds = {"users": self._users, "groups": self._groups}
        return Numbering({kind: {here: there for there, here in one.items()} for kind, one in kinds.items()})

    def owners(self, user, group):
        """(user, group) by the other host's numbers."""
        return self._users.get(user, user), self._groups.get(group, group)

    def attributes(self, found):
        """{name: bytes} with the numbers in ACLs translated."""
        return {name: self._acl(one) if name in _ACLS else one for name, one in found.items()}

    def _acl(self, value):
        if len(value) < 4 or (len(value) - 4) % _ENTRY.size:
            return value
        entries = []
        for tag, rights, number in _ENTRY.iter_unpack(value[4:]):
            kind = {_USER: self._users, _GROUP: self._groups}.get(tag, {})
            entries.append((tag, rights, kind.get(number, number)))
        # The kernel keeps them in this order, so that both hosts' ACLs compare as bytes.
        return value[:4] + b"".join(_ENTRY.pack(*one) for one in sorted(entries, key=lambda one: (one[0], one[2])))

    def record(self, told):
        """A record of a file or folder, translated; everything else as it is."""
        file = told.get("file") if isinstance(told, dict) else None
        if not isinstance(file, dict) or not isinstance(file.get("u"), int) or not isinstance(file.get("g"), int):
            return told
        user, group = self.owners(file["u"], file["g"])
        translated = dict(file, u=user, g=group)
        if isinstance(file.get("x"), dict):
            found = {name: base64.b64decode(one) for name, one in file["x"].items()}
            translated["x"] = {name: _as_text(one) for name, one in self.attributes(found).items()}
        return dict(told, file=translated)


def _whole(told):
    return {int(there): int(here) for there, here in told.items() if int(there) != int(here)}


def _as_text(value):
    return base64.b64encode(value).decode("ascii")


class Arriving:
    """A stream whose records bear this host's numbers."""

    def __init__(self, line, numbering):
        self._line, self._numbering = line, numbering

    def arriving(self):
        for kind, body in self._line.arriving():
            yield kind, json.dumps(self._numbering.record(json.loads(body))).encode("ascii") if kind == b"R" else body


class Leaving:
    """A line on which records leave with the other host's numbers."""

    def __init__(self, line, numbering):
        self._line, self._back = line, numbering.back()

    def send(self, kind, payload):
        self._line.send(kind, self._back.record(payload) if kind == b"R" else payload)
