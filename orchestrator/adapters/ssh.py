"""Reads the host keys that machines show, directly or through their jump host; logs in nowhere but on jump hosts.

Of a machine that is reached by PSRP it is the certificate.

Nothing here uses the user's ssh agent, known_hosts or configuration, and nothing offers a weak algorithm. One
connection to a jump host serves one machine at a time, so that each failure belongs to the machine that caused it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

import paramiko

from orchestrator.adapters.psrp import shown_certificate
from orchestrator.adapters.ssh_line import Raw, connected
from orchestrator.adapters.ssh_session import (
    NoKey,
    Patience,
    Session,
    failed,
    hang_up,
    key_of,
    negotiated,
    session_with,
    who_at,
)
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.explain import Sentence
from orchestrator.core.host_keys import Door, KeyAnswer, named_key

AT_ONCE = 10
"""Machines asked at the same time; an sshd drops unauthenticated connections beyond ten (MaxStartups)."""
JUMP_LOGINS = 4
"""Logins on one jump host at the same time, once the first has succeeded; other people use it too."""
PATIENCE = Patience()
TOO_LATE = Sentence(says="no answer in time")
CONNECT_FAILED = 2
"""Reason of a refused channel: the jump host tried and found no way (RFC 4254, 5.1)."""


def read_host_keys(
    doors: Sequence[Door],
    *,
    patience: Patience = PATIENCE,
    tell: Callable[[KeyAnswer], None] = lambda _answer: None,
) -> tuple[KeyAnswer, ...]:
    """One answer per door, in the order of the doors; ``tell`` hears each as it comes. Never raises for a door."""
    ways = Ways(patience)
    pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="host-keys")
    try:
        asked = {pool.submit(_answer, door, ways): place for place, door in enumerate(doors)}
        answers: dict[int, KeyAnswer] = {}
        for future in as_completed(asked):
            answers[asked[future]] = future.result()
            tell(future.result())
        return tuple(answers[place] for place in range(len(doors)))
    finally:
        pool.shutdown(cancel_futures=True)
        ways.close()


def _answer(door: Door, ways: Ways) -> KeyAnswer:
    try:
        if door.profile.psrp:
            return KeyAnswer(asset=door.asset, key=shown_certificate(door, patience=ways.patience))
        with ways.opened(door) as raw:
            return KeyAnswer(asset=door.asset, key=_shown_key(raw, door, ways.patience))
    except NoKey as failure:
        return KeyAnswer(asset=door.asset, trouble=failure.trouble)


def _shown_key(raw: Raw, door: Door, patience: Patience) -> str:
    who = who_at(door.address, door.profile.port)
    legacy = door.profile.legacy
    with session_with(raw, who=who, known=door.known, patience=patience, legacy=legacy) as session:
        return key_of(session)


# --------------------------------------------------------------------------- ways to the doors


class Ways:
    """All ways of one round: directly, or through jump hosts, each known by its jump host and key file."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._lock = threading.Lock()
        self._jumps: dict[tuple[JumpHost, str], _Jump] = {}

    @contextmanager
    def opened(self, door: Door) -> Iterator[Raw]:
        """A connection to the door's address and port, closed at the end. Raises NoKey."""
        if door.profile.jump is None:
            raw: Raw = _direct(door.address, door.profile.port, patience=self.patience)
            try:
                yield raw
            finally:
                raw.close()
        else:
            with self._jump(door.profile, door.profile.jump).channel(door) as channel:
                yield channel

    def close(self) -> None:
        """Close every connection to a jump host."""
        for jump in self._jumps.values():
            jump.close()

    def _jump(self, profile: AccessProfile, host: JumpHost) -> _Jump:
        with self._lock:
            return self._jumps.setdefault((host, profile.key_file), _Jump(host, profile.key_file, self.patience))


def _direct(address: str, port: int, *, patience: Patience) -> socket.socket:
    who = who_at(address, port)
    try:
        return connected(address, port, within_s=patience.connect_s)
    except ConnectionRefusedError as cause:
        raise failed("refused", _refuses(who)) from cause
    except (OSError, ValueError) as cause:
        why = (isinstance(cause, OSError) and cause.strerror) or TOO_LATE
        raise failed("unreachable", _silent(who, why)) from cause


def _refuses(who: Mapping[str, object]) -> Sentence:
    return Sentence(says="{where} refuses connections", facts=who)


def _silent(who: Mapping[str, object], why: str | Sentence) -> Sentence:
    return Sentence(says="{where} does not answer: {why}", facts={**who, "why": why})


class _Jump:
    """One jump host: sessions that are logged in and idle, few logins at a time, a gap between two.

    Where the first login fails, the way is closed for every machine behind it: nobody waits for it again.
    """

    def __init__(self, host: JumpHost, key_file: str, patience: Patience) -> None:
        self._host, self._key_file, self._patience = host, key_file, patience
        self._lock = threading.Lock()
        self._logins = threading.Semaphore(JUMP_LOGINS)
        self._gap = threading.Lock()
        self._idle: list[Session] = []
        self._blocked: NoKey | None = None
        self._proven = False
        self._next = 0.0

    @contextmanager
    def channel(self, door: Door) -> Iterator[Raw]:
        """A channel to the door. Raises NoKey."""
        session = self._taken()
        keep = False
        try:
            channel, keep = self._open(session, door)
            if isinstance(channel, NoKey):
                raise channel
            try:
                yield channel
            finally:
                channel.close()
        finally:
            self._back(session, keep=keep)

    def close(self) -> None:
        """Log out everywhere."""
        for session in self._idle:
            hang_up(session)
        self._idle.clear()

    def _taken(self) -> Session:
        with self._lock:
            if self._blocked is not None:
                raise NoKey(self._blocked.trouble)
            if self._idle:
                return self._idle.pop()
            if not self._proven:
                return self._first()
        with self._logins:
            with self._lock:
                if self._idle:
                    return self._idle.pop()
            return self._logged_in()

    def _first(self) -> Session:
        """The session that shows whether one gets in at all; everybody waits for it. Raises NoKey."""
        try:
            session = self._logged_in()
        except NoKey as failure:
            self._blocked = failure
            raise
        self._proven = True
        return session

    def _back(self, session: Session, *, keep: bool) -> None:
        if keep and session.is_active():
            with self._lock:
                self._idle.append(session)
        else:
            hang_up(session)

    def _open(self, session: Session, door: Door) -> tuple[Any, bool]:
        """The channel (or the trouble), and whether the session is still good for another door."""
        where, who = (door.address, door.profile.port), who_at(door.address, door.profile.port)
        session.refusal = ""
        try:
            within = self._patience.connect_s
            return session.open_channel("direct-tcpip", where, ("127.0.0.1", 0), timeout=within), True
        except paramiko.ChannelException as cause:
            return _refused_channel(cause, session.refusal, {**who, "jump": self._host.address}), True
        except Exception:  # the library names a time-out and a broken session by the same class
            if session.is_active():
                return failed("unreachable", _silent(who, TOO_LATE)), False
            facts = {"jump": self._host.address}
            told = Sentence(says="the connection to the jump host {jump} broke off", facts=facts)
            return failed("jump_broke_off", told), False

    def _logged_in(self) -> Session:
        """A new session on the jump host, a gap after the one before. Raises NoKey with a code of the jump host."""
        with self._gap:
            time.sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + self._patience.gap_s
        key = login_key(self._key_file)
        for last in (False, True):
            try:
                return self._login(key)
            except NoKey as failure:
                if last or failure.trouble.code not in ("broke_off", "no_banner"):
                    raise self._as_jump(failure) from failure
            time.sleep(1)  # a busy sshd drops connections at random: once more
        raise AssertionError

    def _login(self, key: paramiko.PKey) -> Session:
        host = self._host
        raw = _direct(host.address, host.port, patience=self._patience)
        who = who_at(host.address, host.port)
        session, line = negotiated(raw, who=who, known=host.host_key, patience=self._patience)
        try:
            self._check_key(key_of(session))
            session.auth_timeout = self._patience.exchange_s
            if session.auth_publickey(host.user, key):
                raise paramiko.AuthenticationException("it asks for more than a key")
            line.trust()
            return session
        except NoKey:
            hang_up(session)
            raise
        except Exception as cause:  # whatever the library says here, the login did not succeed
            hang_up(session)
            facts = {"jump": host.address, "user": host.user}
            told = Sentence(says="it does not let {user} in with the profile's key", facts=facts)
            raise failed("login", told) from cause

    def _check_key(self, seen: str) -> None:
        known = " ".join(self._host.host_key.split()[:2])
        if seen != known:
            facts = {"seen": named_key(seen), "known": named_key(known)}
            told = Sentence(says="it shows the key {seen}, but its profile says {known}", facts=facts)
            raise failed("key_mismatch", told)

    def _as_jump(self, failure: NoKey) -> NoKey:
        facts = {"jump": self._host.address, "trouble": failure.trouble.told}
        told = Sentence(says="the way through the jump host {jump} is closed: {trouble}", facts=facts)
        return failed(f"jump_{failure.trouble.code}", told)


def _refused_channel(cause: paramiko.ChannelException, told: str, facts: Mapping[str, object]) -> NoKey:
    """What a jump host means that could not, or must not, open the way to a machine."""
    if cause.code != CONNECT_FAILED:
        forbids = Sentence(says="the jump host {jump} does not let one through to {where}", facts=facts)
        return failed("jump_forbids", forbids)
    if "refused" in told.casefold():
        return failed("refused", _refuses(facts))
    return failed("unreachable", _silent(facts, told or "Connect failed"))


def login_key(key_file: str) -> paramiko.PKey:
    """The private key in the file. Raises NoKey."""
    try:
        return paramiko.PKey.from_path(key_file)
    except Exception as cause:  # unreadable, encrypted, or of an unknown kind: the library has a class for each
        facts = {"file": key_file, "why": getattr(cause, "strerror", None) or type(cause).__name__}
        told = Sentence(says="the profile's key file {file} cannot be used: {why}", facts=facts)
        raise failed("key_file", told) from cause
