"""Discovery by ssh: sends one small script to each machine, changes nothing there, and takes a bounded text back.

A machine must show the host key that is pinned; without one it is not logged in to. Nothing is left on it: the script
comes over standard input, and nobody's password, agent or configuration goes there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import paramiko

from inventory.sources.discovery_text import FIRST_LINE, MOST_BYTES
from orchestrator.adapters.credentials import Credential
from orchestrator.adapters.ssh import PATIENCE, Ways, login_key
from orchestrator.adapters.ssh_line import Line, Raw
from orchestrator.adapters.ssh_session import (
    NoKey,
    Patience,
    Session,
    failed,
    hang_up,
    key_of,
    negotiated,
    weak_algorithms,
    who_at,
)
from orchestrator.core.access import AccessProfile
from orchestrator.core.discovery import FactsAnswer
from orchestrator.core.explain import Sentence
from orchestrator.core.host_keys import Door, Trouble, named_key

SCRIPT = Path(__file__).with_name("discover.sh").read_bytes()
NO_CREDENTIALS: Mapping[str, Credential] = MappingProxyType({})
REPORT_S = 90
"""Seconds for a whole report; a loaded old server needs about ten."""
AGENT_S = 5
"""Seconds for the ssh agent's answer."""
MACHINE_S = 120
"""Seconds for everything after the key exchange: login and report."""
STRANGE = Trouble(code="broke_off", told=Sentence(says="it does not keep to the protocol"))
_BLOCK = 32 * 1024
_COMMANDS = {False: "exec /bin/sh -s", True: "exec sudo -n /bin/sh -s"}


def read_facts(
    doors: Sequence[Door],
    *,
    at_once: int,
    patience: Patience = PATIENCE,
    credentials: Mapping[str, Credential] = NO_CREDENTIALS,
    tell: Callable[[FactsAnswer], None] = lambda _answer: None,
) -> tuple[FactsAnswer, ...]:
    """One answer per door, in the order of the doors; ``tell`` hears each as it comes. Never raises for a door.

    ``credentials`` go before the key file of an access profile.
    """
    ways = Ways(patience)
    keys = Keys(credentials)
    pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="discovery")
    try:
        asked = {pool.submit(_answer, door, ways, keys): place for place, door in enumerate(doors)}
        answers: dict[int, FactsAnswer] = {}
        for future in as_completed(asked):
            answers[asked[future]] = future.result()
            tell(future.result())
        return tuple(answers[place] for place in range(len(doors)))
    finally:
        pool.shutdown(cancel_futures=True)
        ways.close()


class Keys:
    """What opens machines, by access profile: given credentials, or private keys, each read once for a round."""

    def __init__(self, credentials: Mapping[str, Credential] = NO_CREDENTIALS) -> None:
        self._given = credentials
        self._found: dict[str, paramiko.PKey] = {}

    def of(self, profile: AccessProfile) -> Credential:
        """The credential given for the profile; else its key from the file, or from the agent where that is locked.

        Raises NoKey.
        """
        return self._given.get(profile.name) or Credential(key=self._key_in(profile.key_file))

    def _key_in(self, file: str) -> paramiko.PKey:
        if file not in self._found:
            self._found[file] = _credential(file)
        return self._found[file]


def _credential(key_file: str) -> paramiko.PKey:
    try:
        return login_key(key_file)
    except NoKey:
        held = _from_agent(Path(f"{key_file}.pub"))
        if held is None:
            raise
        return held


def _from_agent(public: Path) -> paramiko.PKey | None:
    """The agent's key that fits the public one beside the locked file; no other key of the agent is ever offered.

    An agent that says nothing, or nonsense, has no key: the library would wait for it for ever.
    """
    try:
        wanted = public.read_text(encoding="ascii").split()[1]
    except (OSError, ValueError, IndexError):
        return None
    found: list[paramiko.PKey] = []

    def ask() -> None:
        with suppress(Exception):
            found.extend(key for key in paramiko.Agent().get_keys() if key.get_base64() == wanted)

    asking = threading.Thread(target=ask, daemon=True, name="ssh-agent")
    asking.start()
    asking.join(AGENT_S)
    return found[0] if found else None


def _answer(door: Door, ways: Ways, keys: Keys) -> FactsAnswer:
    try:
        with logged_in(door, ways, keys, for_s=MACHINE_S) as session:
            return FactsAnswer(asset=door.asset, text=_report(session, door), weak=weak_algorithms(session))
    except NoKey as failure:
        return FactsAnswer(asset=door.asset, trouble=failure.trouble)
    except Exception:  # whatever a machine makes the library raise, it belongs to this machine alone
        return FactsAnswer(asset=door.asset, trouble=STRANGE)


@contextmanager
def logged_in(door: Door, ways: Ways, keys: Keys, *, for_s: float) -> Iterator[Session]:
    """A session on the machine behind the door, which has shown the key that is pinned. Raises NoKey.

    After ``for_s`` seconds it is torn down, whatever the machine does: the library waits for some answers for ever.
    """
    if door.profile.psrp:
        raise failed("not_ssh", Sentence(says="it is reached by PSRP, and this goes by ssh only"))
    if not door.known:
        told = Sentence(says="its host key is not known yet; run `kahn asset scan` first")
        raise failed("no_host_key", told)
    with ways.opened(door) as raw:
        session, line = _session(raw, door, ways.patience)
        end = threading.Timer(for_s, session.close)
        end.daemon = True
        end.start()
        try:
            _log_in(session, line, door, keys.of(door.profile), ways.patience)
            yield session
        finally:
            end.cancel()
            hang_up(session)


def _session(raw: Raw, door: Door, patience: Patience) -> tuple[Session, Line]:
    who = who_at(door.address, door.profile.port)
    return negotiated(raw, who=who, known=door.known, patience=patience, legacy=door.profile.legacy)


def _log_in(session: Session, line: Line, door: Door, credential: Credential, patience: Patience) -> None:
    """Raises NoKey: for another host key than the pinned one before anything is sent that could be stolen."""
    seen, known = key_of(session), " ".join(door.known.split()[:2])
    if seen != known:
        facts: dict[str, object] = {"seen": named_key(seen), "known": named_key(known)}
        told = Sentence(says="it shows the key {seen}, but the inventory says {known}", facts=facts)
        raise failed("key_mismatch", told)
    try:
        session.auth_timeout = patience.exchange_s
        left: object = True
        if credential.key is not None:
            left = session.auth_publickey(door.profile.user, credential.key)
        if left and credential.password:
            left = session.auth_password(door.profile.user, credential.password)
        if left:
            raise paramiko.AuthenticationException("it asks for more")
    except Exception as cause:  # whatever the library says here, the login did not succeed
        told = Sentence(says="it does not let {user} in with the profile's key", facts={"user": door.profile.user})
        if credential.password:
            told = Sentence(says="it does not let {user} in with the password given", facts={"user": door.profile.user})
        if not session.is_active():  # hung up or timed out: it did not say no
            raise failed("broke_off", Sentence(says="it breaks off while one logs in")) from cause
        raise failed("login", told) from cause
    line.trust()


def _report(session: Session, door: Door) -> str:
    """What the script says. Raises NoKey when it says nothing of ours, too much, or does not end."""
    text = said(session, _COMMANDS[door.profile.become], SCRIPT, within_s=REPORT_S).decode("utf-8", errors="replace")
    begins = text.find(FIRST_LINE)
    if begins < 0:
        told = Sentence(says="it does not run the script: {start!r}", facts={"start": _start(text)})
        raise failed("no_report", told)
    return text[begins:]


def said(session: Session, command: str, script: bytes, *, within_s: float) -> bytes:
    """All that a command says that is given a script; bounded in time and size. Raises NoKey."""
    until = time.monotonic() + within_s
    try:
        channel = session.open_session(timeout=until - time.monotonic())
        channel.settimeout(min(5, within_s))
        channel.exec_command(command)
        channel.sendall(script)
        channel.shutdown_write()
        return _bounded(channel, until)
    except NoKey:
        raise
    except Exception as cause:  # a machine can break off in many ways, and the library has a class for each
        raise failed("broke_off", Sentence(says="it breaks off before its report is complete")) from cause


def _bounded(channel: Any, until: float) -> bytes:
    blocks: list[bytes] = []
    size = 0
    while True:
        if time.monotonic() > until:
            raise failed("too_late", Sentence(says="its report does not end in time"))
        try:
            block = channel.recv(_BLOCK)
        except TimeoutError:
            continue
        if not block:
            return b"".join(blocks)
        size += len(block)
        blocks.append(block)
        if size > MOST_BYTES:
            raise failed("too_much", Sentence(says="its report does not end"))


def _start(text: str) -> str:
    return "".join(char for char in text[:80] if char.isprintable())
