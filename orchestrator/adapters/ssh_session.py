"""One key exchange with a machine not yet trusted: only algorithms that are sound, and every failure with its cause."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from orchestrator.adapters.ssh_line import Line, NoGreeting, Raw
from orchestrator.core.explain import Sentence
from orchestrator.core.host_keys import SHORT_TYPES, Trouble

_KEX = (
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)
_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_CIPHERS = ("aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
_MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
_LEGACY_KEX = (
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group1-sha1",
)
_LEGACY_KEYS = ("ssh-rsa",)
_LEGACY_CIPHERS = ("aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc")
_LEGACY_MACS = ("hmac-sha1", "hmac-sha1-96", "hmac-md5", "hmac-md5-96")
WEAK = frozenset({*_LEGACY_KEX, *_LEGACY_KEYS, *_LEGACY_CIPHERS, *_LEGACY_MACS})
"""What only a legacy profile may use, and always after everything that is sound."""
_OURS = {
    "key exchange": (_KEX, Sentence(says="key exchange")),
    "host key": (_KEYS, Sentence(says="host key")),
    "cipher": (_CIPHERS, Sentence(says="cipher")),
    "checksum": (_MACS, Sentence(says="checksum")),
}
HANG_UP_S = 2
_QUIET = "kahn.ssh"
logging.getLogger(_QUIET).addHandler(logging.NullHandler())
logging.getLogger(_QUIET).propagate = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, in seconds: for a connection, for a greeting, for the key exchange; between two logins
    on one jump host."""

    connect_s: float = 10
    greet_s: float = 5
    exchange_s: float = 10
    gap_s: float = 0.05


class NoKey(Exception):
    """Carries the trouble to the door it belongs to."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(trouble.code)


def failed(code: str, told: Sentence) -> NoKey:
    """The exception for a trouble of that code."""
    return NoKey(Trouble(code=code, told=told))


class Session(paramiko.Transport):
    """A transport that remembers why a jump host refused a channel (the library keeps only the number), and by which
    key exchange it began (the library forgets it)."""

    refusal = ""
    kex_name = ""

    def _parse_newkeys(self, m: paramiko.Message) -> None:
        self.kex_name = str(getattr(self.kex_engine, "name", ""))
        super()._parse_newkeys(m)  # type: ignore[misc]

    def _parse_channel_open_failure(self, m: paramiko.Message) -> None:
        told = paramiko.Message(m.asbytes())
        told.get_int()
        told.get_int()
        self.refusal = told.get_binary().decode("utf-8", errors="replace")
        super()._parse_channel_open_failure(m)  # type: ignore[misc]


def hang_up(session: Session) -> None:
    """End the session and wait until its threads are gone."""
    session.packetizer.complete_handshake()  # else its alarm clock runs on
    session.close()
    if session.ident is not None:
        session.join(HANG_UP_S)


@contextmanager
def session_with(
    raw: Raw, *, who: Mapping[str, object], known: str, patience: Patience, legacy: bool = False
) -> Iterator[Session]:
    """The key exchange done, nobody logged in; closed at the end. Raises NoKey."""
    session, _line = negotiated(raw, who=who, known=known, patience=patience, legacy=legacy)
    try:
        yield session
    finally:
        hang_up(session)


def negotiated(
    raw: Raw, *, who: Mapping[str, object], known: str, patience: Patience, legacy: bool = False
) -> tuple[Session, Line]:
    """A session after its key exchange; whoever calls closes it. Raises NoKey, and has closed ``raw`` then.

    With ``legacy`` weak algorithms are offered too, behind the sound ones.
    """
    until = time.monotonic() + patience.greet_s + patience.exchange_s
    line = Line(raw, until=until)
    try:
        line.greet(until=time.monotonic() + patience.greet_s)
    except (NoGreeting, OSError) as cause:
        raw.close()
        told = cause.told if isinstance(cause, NoGreeting) else Sentence(says="it breaks the connection off")
        silent = Sentence(says="{where} does not speak SSH: {why}", facts={**who, "why": told})
        raise failed("no_banner", silent) from cause
    disabled = {} if legacy else {"pubkeys": ["ssh-rsa"]}
    session = Session(line, disabled_algorithms=disabled)  # type: ignore[arg-type]
    try:
        _exchange(session, known=known, until=until, legacy=legacy)
    except Exception as cause:  # a hostile peer can make the library raise anything
        hang_up(session)
        raw.close()
        raise _unfinished(cause, line, who) from cause
    return session, line


def _exchange(session: Session, *, known: str, until: float, legacy: bool) -> None:
    session.set_log_channel(_QUIET)
    options = session.get_security_options()
    options.kex, options.ciphers, options.digests = _KEX, _CIPHERS, _MACS
    options.key_types = _key_types(known)
    if legacy:
        options.kex, options.ciphers, options.digests = (
            _KEX + _LEGACY_KEX,
            _CIPHERS + _LEGACY_CIPHERS,
            _MACS + _LEGACY_MACS,
        )
        options.key_types = (*_key_types(known), *_LEGACY_KEYS)
    session.start_client(timeout=max(0.0, until - time.monotonic()))
    key_of(session)


def weak_algorithms(session: Session) -> tuple[str, ...]:
    """The weak ones among the algorithms that this session uses, sorted."""
    names = ("kex_name", "host_key_type", "local_cipher", "remote_cipher", "local_mac", "remote_mac")
    used = {str(getattr(session, name, "")) for name in names}
    return tuple(sorted(used & WEAK))


def _key_types(known: str) -> tuple[str, ...]:
    """Key types to ask for; that of the known key first, so that the same key is shown again where it still exists."""
    wanted = known.split()[0] if known else ""
    first = [one for one in _KEYS if one == wanted or (wanted == "ssh-rsa" and one.startswith("rsa-"))]
    return (*first, *(one for one in _KEYS if one not in first))


def key_of(session: Session) -> str:
    """The key shown and proven in the key exchange, as ``type base64``. Raises SSHException when there is none."""
    key = session.get_remote_server_key()
    if key.get_name() not in SHORT_TYPES:
        raise paramiko.SSHException(key.get_name())
    return f"{key.get_name()} {key.get_base64()}"


def _unfinished(cause: Exception, line: Line, who: Mapping[str, object]) -> NoKey:
    """Why a key exchange came to nothing."""
    if isinstance(cause, IncompatiblePeer):
        return failed("no_common_algorithm", _nothing_common(line.offers(), who))
    why = Sentence(says="it does not keep to the protocol")
    if line.overrun:
        why = Sentence(says="it sends more than a key exchange needs")
    elif line.late:
        why = Sentence(says="it does not finish in time")
    elif isinstance(cause, EOFError | OSError):
        why = Sentence(says="it closes the connection")
    told = Sentence(says="the key exchange with {where} broke off: {why}", facts={**who, "why": why})
    return failed("broke_off", told)


def _nothing_common(offers: Mapping[str, tuple[str, ...]], who: Mapping[str, object]) -> Sentence:
    for kind, (ours, word) in _OURS.items():
        if kind in offers and not set(ours).intersection(offers[kind]):
            facts = {**who, "kind": word, "offered": ", ".join(offers[kind])}
            return Sentence(says="no {kind} algorithm in common with {where}; it offers only {offered}", facts=facts)
    return Sentence(says="no algorithm in common with {where}", facts=who)


def who_at(address: str, port: int) -> dict[str, object]:
    """The fact ``where`` for sentences: address and port."""
    return {"where": f"[{address}]:{port}" if ":" in address else f"{address}:{port}"}
