"""Who is called and by which channel, read from `notices.toml` with errors that name the entry. No secret stands in it.

The file lies in the state directory, not in the database: it must be readable when the database is away, it holds
people's addresses, and a tenant's policy must never name a command that Kahn then runs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from inventory.errors import ExpectedError
from inventory.model import TENANT_PATTERN, TenantId
from orchestrator.core.notices import Contact
from orchestrator.texts import LANGUAGES

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")
MAIL_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")
HOST = re.compile(r"[A-Za-z0-9.:-]{1,255}")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
TLS = ("starttls", "tls", "none")
MOST = 200


class ContactsFileWrong(ExpectedError):
    """The file of channels and contacts has an entry that makes no sense."""

    code, says = "NOTE-001", "{file}, {key}: {why}."
    remedy = "Correct the entry; `kahn notice example` prints a file with every entry explained."
    exit_code = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChannel:
    """An SMTP server. ``password_file`` is read when a mail is sent; a password is never sent without encryption."""

    name: str
    host: str
    port: int
    tls: str
    sender: str
    user: str = ""
    password_file: str = ""
    ca_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """An HTTPS address that takes JSON. ``secret_file`` holds the key of the signature over each message."""

    name: str
    url: str
    secret_file: str
    ca_file: str = ""
    proxy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandChannel:
    """A program of the house that can page: started without a shell, the message on its standard input."""

    name: str
    argv: tuple[str, ...]
    timeout_s: int


ChannelEntry = MailChannel | WebhookChannel | CommandChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsFile:
    """Everything the file says."""

    channels: tuple[ChannelEntry, ...] = ()
    contacts: tuple[Contact, ...] = ()

    def of(self, tenant: TenantId) -> tuple[Contact, ...]:
        """The tenant's contacts."""
        return tuple(one for one in self.contacts if one.tenant == tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One table of the file, with its place."""

    file: str
    key: str
    table: Mapping[str, Any]

    def wrong(self, name: str, why: str, *, cause: BaseException | None = None) -> NoReturn:
        """Raise ContactsFileWrong for one of its keys."""
        raise ContactsFileWrong(file=self.file, key=f"{self.key}.{name}" if name else self.key, why=why) from cause

    def text(self, name: str, *, default: str | None = None) -> str:
        """A text on one line."""
        value = self.table.get(name, default)
        if value is None:
            self.wrong(name, "it is missing")
        if not isinstance(value, str) or not value.isprintable() or len(value) > 2_000:
            self.wrong(name, "a text on one line is wanted")
        return value

    def number(self, name: str, *, default: int, low: int, high: int) -> int:
        """A whole number within limits."""
        value = self.table.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(name, f"a whole number from {low} to {high} is wanted")
        return value

    def only(self, *known: str) -> None:
        """Refuse keys that nothing would honour."""
        for name in self.table:
            if name not in known:
                self.wrong(name, f"unknown key; known are {', '.join(sorted(known))}")


def read_contacts(text: str, *, file: str) -> ContactsFile:
    """The file's channels and contacts. Raises ContactsFileWrong."""
    top = _Entry(file=file, key="file", table=_parsed(text, file))
    top.only("channel", "contact")
    channels = tuple(_channel(one) for one in _tables(top, "channel"))
    _once(top, "channel", [one.name for one in channels])
    by_name = {one.name: one for one in channels}
    contacts = tuple(_contact(one, by_name) for one in _tables(top, "contact"))
    _once(top, "contact", [f"{one.tenant}/{one.name}" for one in contacts])
    return ContactsFile(channels=channels, contacts=contacts)


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as cause:
        raise ContactsFileWrong(file=file, key="TOML", why=str(cause).rstrip(".")[:200]) from cause


def _tables(top: _Entry, name: str) -> list[_Entry]:
    found = top.table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        top.wrong(name, f"write it as [[{name}]]")
    if len(found) > MOST:
        top.wrong(name, f"more than {MOST} entries")
    return [_Entry(file=top.file, key=f"{name}[{nth}]", table=one) for nth, one in enumerate(found, 1)]


def _once(top: _Entry, what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            top.wrong(what, f"{name} is named twice")


# --------------------------------------------------------------------------- channels


def _channel(entry: _Entry) -> ChannelEntry:
    kind = entry.text("kind")
    if kind not in _KINDS:
        entry.wrong("kind", f"one of {', '.join(_KINDS)} is wanted")
    return _KINDS[kind](entry, _name(entry))


def _name(entry: _Entry) -> str:
    name = entry.text("name")
    if not NAME.fullmatch(name):
        entry.wrong("name", "a short word of a-z, 0-9, '.', '_' and '-' is wanted")
    return name


def _mail(entry: _Entry, name: str) -> ChannelEntry:
    entry.only("name", "kind", "host", "port", "tls", "sender", "user", "password_file", "ca_file")
    tls, user = entry.text("tls", default="starttls"), entry.text("user", default="")
    if tls not in TLS:
        entry.wrong("tls", f"one of {', '.join(TLS)} is wanted")
    if user and tls == "none":
        entry.wrong("tls", "a password would travel unencrypted")
    if bool(user) != bool(entry.table.get("password_file")):
        entry.wrong("password_file", "user and password_file go together")
    if not HOST.fullmatch(entry.text("host")):
        entry.wrong("host", "the name or address of a mail server is wanted")
    return MailChannel(
        name=name,
        host=entry.text("host"),
        port=entry.number("port", default=465 if tls == "tls" else 587, low=1, high=65_535),
        tls=tls,
        sender=_address(entry, "sender"),
        user=user,
        password_file=entry.text("password_file", default=""),
        ca_file=entry.text("ca_file", default=""),
    )


def _address(entry: _Entry, key: str) -> str:
    found = entry.text(key)
    if not MAIL_ADDRESS.fullmatch(found):
        entry.wrong(key, "a plain mail address such as wache@stadt.example is wanted")
    return found


def _webhook(entry: _Entry, name: str) -> ChannelEntry:
    entry.only("name", "kind", "url", "secret_file", "ca_file", "proxy")
    url = entry.text("url")
    try:
        parts = urlsplit(url)
        host, with_user = parts.hostname or "", parts.username is not None or parts.password is not None
    except ValueError as cause:
        entry.wrong("url", "an address such as https://alarm.stadt.example/kahn is wanted", cause=cause)
    if with_user:
        entry.wrong("url", "a password in an address is a secret in clear; use secret_file")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        entry.wrong("url", "https is wanted (http only to this machine itself)")
    return WebhookChannel(
        name=name,
        url=url,
        secret_file=entry.text("secret_file"),
        ca_file=entry.text("ca_file", default=""),
        proxy=entry.text("proxy", default=""),
    )


def _command(entry: _Entry, name: str) -> ChannelEntry:
    entry.only("name", "kind", "argv", "timeout_s")
    argv = entry.table.get("argv")
    if not isinstance(argv, list) or not argv or not all(isinstance(one, str) and "\0" not in one for one in argv):
        entry.wrong("argv", 'a list of words such as ["/usr/local/bin/page", "{to}"] is wanted')
    if not argv[0].startswith("/"):
        entry.wrong("argv", "the program is named by its whole path")
    return CommandChannel(name=name, argv=tuple(argv), timeout_s=entry.number("timeout_s", default=30, low=1, high=300))


_KINDS: Mapping[str, Callable[[_Entry, str], ChannelEntry]] = {
    "mail": _mail,
    "webhook": _webhook,
    "command": _command,
}

# --------------------------------------------------------------------------- contacts


def _contact(entry: _Entry, channels: Mapping[str, ChannelEntry]) -> Contact:
    entry.only("tenant", "name", "channel", "to", "language", "after_min")
    tenant, channel = entry.text("tenant"), channels.get(entry.text("channel"))
    if not TENANT_PATTERN.fullmatch(tenant):
        entry.wrong("tenant", "the name of a tenant is wanted")
    if channel is None:
        entry.wrong("channel", f"there is no channel {entry.text('channel')!r}")
    language = entry.text("language", default="en")
    if language not in LANGUAGES:
        entry.wrong("language", f"one of {', '.join(LANGUAGES)} is wanted")
    return Contact(
        tenant=TenantId(tenant),
        name=_name(entry),
        channel=channel.name,
        to=_target(entry, channel),
        language=language,
        after_min=entry.number("after_min", default=0, low=0, high=7 * 24 * 60),
    )


def _target(entry: _Entry, channel: ChannelEntry) -> str:
    if isinstance(channel, MailChannel):
        return _address(entry, "to")
    to = entry.text("to", default="")
    if to.startswith("-"):
        entry.wrong("to", "it must not begin with '-', or the command would take it for an option")
    return to


EXAMPLE = """\
# Whom Kahn calls, and how. Keep this file as `notices.toml` in the state directory, readable by Kahn only.
# Passwords and keys stand in files of their own (mode 0600), never in here and never in the database.
# Files are named by their whole path, or relative to the state directory.

[[channel]]
name = "mail"
kind = "mail"
host = "mail.stadt.example"
port = 587                          # 587 by default, 465 with tls = "tls"
tls = "starttls"                    # or "tls" from the first byte, or "none" (then without user)
sender = "kahn@stadt.example"
user = "kahn"                       # may be left out together with password_file
password_file = "mail.secret"
# ca_file = "ca.pem"                # when the server's certificate comes from the town's own authority

# Takes JSON by POST; X-Kahn-Signature is HMAC-SHA256 over "<X-Kahn-Timestamp>.<body>" with the key in secret_file.
# Redirects are not followed.
[[channel]]
name = "hook"
kind = "webhook"
url = "https://alarm.stadt.example/kahn"
secret_file = "hook.secret"
# proxy = "http://proxy.stadt.example:3128"

# A program of your own that can page. No shell; the message on standard input; {to} is replaced by the contact's `to`;
# exit code 0 means delivered.
[[channel]]
name = "pager"
kind = "command"
argv = ["/usr/local/bin/page", "{to}"]
timeout_s = 30

# Contacts of a tenant. Who has the smallest `after_min` is called at once, the others after so many minutes in which
# nobody acknowledged, or at once when those before them cannot be reached.
[[contact]]
tenant = "stadt"
name = "bereitschaft"
channel = "mail"
to = "it-bereitschaft@stadt.example"
language = "de"

[[contact]]
tenant = "stadt"
name = "leitung"
channel = "pager"
to = "0151-000000"
language = "de"
after_min = 15
"""
