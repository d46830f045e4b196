"""One ssh session to a host for a whole step: requests and answers in frames, and streams from host to host.

A frame is one letter, four bytes of length, and so many bytes. The controller sends Q (request) and gets A (answer) or
F (failure); what one host gives to another travels between as R (record) and D (data) and ends with E, or with X when
the giver failed. Python 3.9, standard library only; sent to the hosts as one program together with what answers.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import struct
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

try:
    from ansible.module_utils.kahn_outcome import STORE, Trouble, alone, cause_of, printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import STORE, Trouble, alone, cause_of, printable

MOST = 8 * 1024 * 1024
KEPT = 4096
COMMAND_S = 30
PAUSES_S = (5, 15, 45)
"""Waits before a machine that fell silent is tried again, where what has arrived is kept."""
_SHELL = 'if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo -n "$@"; fi'
_START = (
    "import json,sys,types\n"
    "i=sys.stdin.buffer\n"
    "w=json.loads(i.read(int(sys.argv[1])))\n"
    "for n,s in w['sources']:\n"
    "    m=sys.modules[n]=types.ModuleType(n)\n"
    "    exec(compile(s,n,'exec'),m.__dict__)\n"
    "m.serve(i,sys.stdout.buffer,w['words'])\n"
)


class Ended(Exception):
    """The other end is gone."""


class Line:
    """One end of a session: frames out, frames in."""

    def __init__(self, incoming, outgoing):
        self._in, self._out = incoming, outgoing

    def send(self, kind, payload):
        """One frame; a mapping is sent as JSON."""
        body = payload if isinstance(payload, (bytes, bytearray)) else json.dumps(payload).encode("ascii")
        self._out.write(kind + struct.pack(">I", len(body)))
        self._out.write(body)

    def flush(self):
        """Whatever waits goes out."""
        self._out.flush()

    def read(self):
        """(kind, bytes) of the next frame. Raises Ended, also for a frame that is too large to be ours."""
        head = self._whole(5)
        size = struct.unpack(">I", head[1:])[0]
        if size > MOST:
            raise Ended(f"a frame of {size} bytes")
        return head[:1], self._whole(size)

    def _whole(self, size):
        found = self._in.read(size)
        if found is None or len(found) < size:
            raise Ended("the other end is gone")
        return found

    def arriving(self):
        """(kind, bytes) of a stream until its end. Raises Trouble when the giver failed."""
        while True:
            kind, body = self.read()
            if kind == b"E":
                return
            if kind == b"X":
                raise Trouble("giver_failed", "The other machine could not give everything.")
            yield kind, body


def answer_all(incoming, outgoing, opening):
    """Answer requests until the controller is gone. `opening` is entered first and gives the answers: a mapping of a
    name to a function of (line, **facts). When that fails, the failure is the answer to everything."""
    line = Line(incoming, outgoing)
    with ExitStack() as held:
        try:
            ops = held.enter_context(opening)
        except (Trouble, OSError) as error:
            ops = _Refusing(error)
        while True:
            try:
                _, body = line.read()
            except Ended:
                return
            _answer(line, ops, json.loads(body))
            line.flush()


def serving(made):
    """The entry of a program that answers as `made(words).ops()` does, while no other program of Kahn's works for that
    asset on the machine."""

    @contextmanager
    def opening(words):
        with alone(words["asset"], os.path.join(words["root"], STORE.lstrip("/"))):
            yield made(words).ops()

    return lambda incoming, outgoing, words: answer_all(incoming, outgoing, opening(words))


def called(argv):
    """(exit code, its last words) of a command that people described; it gets half a minute."""
    try:
        ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_S, cwd="/")
    except OSError as error:
        return 127, f"{argv[0]}: {os.strerror(error.errno or 0)}"
    except subprocess.TimeoutExpired:
        return 124, f"{argv[0]} took more than {COMMAND_S} s"
    return ended.returncode, (ended.stdout + ended.stderr)[-200:].decode("utf-8", "replace")


class _Refusing:
    """Answers everything with one failure."""

    def __init__(self, error):
        self._error = error

    def __getitem__(self, name):
        def refuse(line, **facts):
            raise self._error

        return refuse


def _answer(line, ops, asked):
    taking = asked.pop("taking", False)
    stream = _Once(line) if taking else line
    try:
        told = ops[asked.pop("what")](stream, **asked)
    except Trouble as trouble:
        failed = {"cause": trouble.cause, "msg": printable(trouble.says), "facts": trouble.facts}
    except OSError as error:
        where = printable(os.fsencode(error.filename)) if error.filename else ""
        failed = {"cause": cause_of(error), "msg": (where + ": " if where else "") + os.strerror(error.errno or 0)}
    else:
        line.send(b"A", told or {})
        return
    if taking:
        stream.drain()
    line.send(b"F", failed)


class _Once:
    """The line of a taker: what is left of a stream after a failure is read and thrown away."""

    def __init__(self, line):
        self._line, self._open = line, True

    def arriving(self):
        try:
            yield from self._line.arriving()
        except Trouble:
            self._open = False
            raise
        self._open = False

    def drain(self):
        while self._open:
            self._open = self._line.read()[0] not in (b"E", b"X")


class Talk:
    """The controller's end: a program on a host, asked again and again. `name` is the machine's role, for causes."""

    def __init__(self, ssh, name, modules, words):
        sources = [(module.__name__.rsplit(".", 1)[-1], source_of(module)) for module in modules]
        head = json.dumps({"sources": sources, "words": words}).encode("ascii")
        self.name = name
        self._program = subprocess.Popen(
            at(ssh, ["python3", "-B", "-c", _START, str(len(head))]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._said = Kept(self._program.stderr)
        self.line = Line(self._program.stdout, self._program.stdin)
        with suppress(BrokenPipeError):  # the first question tells why
            self._program.stdin.write(head)
            self._program.stdin.flush()

    def ask(self, what, **facts):
        """The host's answer. Raises Trouble."""
        self.request(what, **facts)
        return self.answer()

    def request(self, what, **facts):
        """Ask without waiting: `answer` must follow. Raises Trouble."""
        try:
            self.line.send(b"Q", dict(facts, what=what))
            self.line.flush()
        except BrokenPipeError:
            raise self._lost() from None

    def answer(self):
        """The answer to the last request. Raises Trouble."""
        kind, body = self.frame()
        if kind not in (b"A", b"F"):
            raise Trouble(self.name + "_failed", f"The {self.name} answered out of turn.")
        told = json.loads(body)
        if kind == b"F":
            facts = {key: one for key, one in dict(told.get("facts") or {}).items() if key not in ("cause", "side")}
            raise Trouble(
                str(told["cause"]), f"The {self.name}: " + printable(str(told["msg"])), side=self.name, **facts
            )
        return told

    def frame(self):
        """The next frame. Raises Trouble when the host is gone."""
        try:
            return self.line.read()
        except Ended:
            raise self._lost() from None

    def _lost(self):
        self._program.kill()
        code, said = self._program.wait(), self._said.text()
        tail = printable(said[-200:])
        if code == 255:
            return Trouble(self.name + "_unreachable", f"The {self.name} cannot be reached: {tail}")
        return Trouble(self.name + "_failed", f"The program on the {self.name} ended with code {code}: {tail}")

    def close(self):
        """End the session; the program over there ends when it has answered what it was asked."""
        for stream in (self._program.stdin, self._program.stdout):
            with suppress(BrokenPipeError):
                stream.close()
        try:
            self._program.wait(20)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()
        self._program.stderr.close()


def relay(giver, taker, give, take, *, drains=True):
    """Stream from one host to another; `give` and `take` are requests. Answers of (giver, taker). Raises Trouble.

    Whatever fails, neither end is left in the middle of a stream: both can be asked again, if they are there. Unless it
    `drains`, a giver whose taker is lost is left there: nothing is carried to nobody, and its session is useless then.
    """
    taker.request(take.pop("what"), taking=True, **take)
    try:
        giver.request(give.pop("what"), **give)
        kind, body = _stream(giver, taker, drains)
    except Trouble:
        _abandon(taker)
        raise
    if kind == b"F":
        _abandon(taker)
        told = json.loads(body)
        raise Trouble(str(told["cause"]), f"The {giver.name}: " + printable(str(told["msg"])), side=giver.name)
    _pass_on(taker, b"E", b"")
    return json.loads(body), taker.answer()


def _stream(giver, taker, drains):
    """Pass frames on until the giver's answer; that answer. A taker that is lost is told only then, or at once."""
    lost = None
    while True:
        kind, body = giver.frame()
        if kind in (b"A", b"F"):
            if lost:
                raise lost
            return kind, body
        if lost is None:
            try:
                _pass_on(taker, kind, body)
            except Trouble as trouble:
                if not drains:
                    raise
                lost = trouble


def _pass_on(taker, kind, body):
    try:
        taker.line.send(kind, body)
        if kind in (b"E", b"X"):
            taker.line.flush()
    except BrokenPipeError:
        raise taker._lost() from None


def _abandon(taker):
    with suppress(Trouble):
        _pass_on(taker, b"X", b"")
        taker.answer()


def patiently(act, *, pauses=PAUSES_S, anew=None):
    """What `act` gives; again after a pause when a machine fell silent meanwhile, as often as there are pauses.

    `anew` is called before it is tried again. A program that still works for the try before is waited for as well.
    """
    causes = ("_unreachable",)
    for pause in pauses:
        try:
            return act()
        except Trouble as trouble:
            if not trouble.cause.endswith(causes):
                raise
        causes = ("_unreachable", "still_working")
        time.sleep(pause)
        if anew:
            anew()
    return act()


def at(ssh, argv):
    """The local argument list that runs `argv` as root on the machine behind `ssh`."""
    return [*ssh, shlex.join(["sh", "-c", _SHELL, "sh", *argv])]


def source_of(module):
    """The source text of a loaded module, also out of an archive."""
    spec = importlib.util.find_spec(module.__name__)
    return spec.loader.get_source(module.__name__)


class Kept:
    """Reads a stream to its end in the background and keeps its first bytes."""

    def __init__(self, stream, size=KEPT):
        self._stream, self._size, self._bytes = stream, size, b""
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self):
        while True:
            piece = self._stream.read(4096)
            if not piece:
                return
            self._bytes += piece[: self._size - len(self._bytes)]

    def text(self):
        """What was kept, once the stream has ended."""
        self._thread.join(10)
        return self._bytes.decode("utf-8", "replace").strip()
