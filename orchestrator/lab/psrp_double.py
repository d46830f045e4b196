"""A protocol double of a Windows machine: it speaks PSRP over WS-Man and HTTPS, and it runs no PowerShell at all.

The client's side of the line is real: ansible's own `psrp` connection, pypsrp, TLS, HTTP. Behind it stands no Windows:
the double recognises which script or module was sent and answers from Python. What it does not know it refuses with an
error, so that no script counts as having worked here. It proves that Kahn and Ansible send what they mean to send, and
that they understand answers, faults and lies; it proves nothing about what a script does on Windows.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import spnego
from psrpcore import (
    EndOfPipelineInputEvent,
    PipelineInputEvent,
    PSRPPayload,
    ServerPipeline,
    ServerRunspacePool,
    StreamType,
)
from psrpcore.types import HostMethodIdentifier, NETException
from spnego.exceptions import SpnegoError

from inventory.psrp_options import certificate_host_key

NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "wsman": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "wst": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
}
DONE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"
RUNNING = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Running"
END_OF_CODE = "\0\0\0\0"
PIECE = 300 * 1024
"""Bytes of one answer's payload; a longer answer takes several."""


@dataclass(kw_only=True)
class Answer:
    """What one script says: lines of output, its exit code, and whether it ended with an error."""

    output: tuple[str, ...] = ()
    rc: int = 0
    error: str = ""


Module = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(kw_only=True)
class Double:
    """One pretended machine. ``modules`` answer by the name of the module's file; ``scripts`` by what a script holds.

    ``fault``: "" or one of hang, garbage, web, drop (the line breaks after the work was done, before the answer).
    ``drops``: only module runs of that name are broken off.
    """

    port: int = 0
    host_key: str = ""
    """Its certificate as the inventory would know it."""
    tls: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    user: str = "kahn"
    password: str = "geheim"
    modules: dict[str, Module] = field(default_factory=dict)
    scripts: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    ntlm: Path | None = None
    """File of NTLM's users, ``DOMAIN:USER:PASSWORD``; with it only NTLM lets anybody in."""
    fault: str = ""
    drops: str = ""
    asked: list[str] = field(default_factory=list)
    """Names of modules and beginnings of scripts, in the order in which they came."""
    pools: dict[str, ServerRunspacePool] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    commands: dict[str, ServerPipeline] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def lets_in(self, certificate: Path) -> None:
        """From now on whoever shows this certificate needs no password."""
        self.tls.load_verify_locations(certificate)

    def answer(self, script: str, given: list[str]) -> Answer:
        """What the machine says to a script with this input."""
        if script.strip().splitlines()[0] == "exit 0":
            self.asked.append("exit 0")
            return Answer()
        if END_OF_CODE in given:
            return self._module(given)
        for mark, said in self.scripts.items():
            if mark in script:
                self.asked.append(mark)
                return said()
        return Answer(rc=1, error="the double does not know this script")

    def _module(self, given: list[str]) -> Answer:
        manifest = json.loads(given[given.index(END_OF_CODE) + 1])
        params = next(one["params"] for one in manifest["actions"] if one["name"] == "module_wrapper.ps1")
        name = str(params["Script"]).removesuffix(".ps1").rpartition(".")[2]
        arguments = next(one["Value"] for one in params["Variables"] if one["Name"] == "complex_args")
        self.asked.append(name)
        if name not in self.modules:
            return Answer(output=(json.dumps({"failed": True, "msg": f"the double does not know {name}"}),), rc=1)
        said = self.modules[name]({key: one for key, one in arguments.items() if not key.startswith("_ansible")})
        if self.drops == name:
            self.drops = ""
            raise ConnectionAbortedError
        return Answer(output=(json.dumps(said),), rc=1 if said.get("failed") else 0)


@contextmanager
def a_double(*, certificate: tuple[Path, Path], **given: Any) -> Iterator[Double]:
    """A double that listens on 127.0.0.1 for as long as the block lasts."""
    der = ssl.PEM_cert_to_DER_cert(certificate[0].read_text(encoding="ascii"))
    double = Double(host_key=certificate_host_key(der), **given)
    double.tls = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    server = _Server(("127.0.0.1", 0), _Handler)
    server.double, server.tls = double, context
    double.port = server.server_address[1]
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    try:
        yield double
    finally:
        double.over.set()
        server.shutdown()
        server.server_close()
        serving.join(30)


@contextmanager
def _users(file: Path) -> Iterator[None]:
    """The library takes the machine's users from the environment alone."""
    os.environ["NTLM_USER_FILE"] = str(file)
    try:
        yield
    finally:
        del os.environ["NTLM_USER_FILE"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    double: Double
    tls: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        """TLS in the connection's own thread, so that a client that is silent keeps nobody else waiting."""
        request.settimeout(60)
        with suppress(OSError):
            super().finish_request(self.tls.wrap_socket(request, server_side=True), client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that broke off is an ordinary thing here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    talk: Any = None
    offered = b""
    known = False
    """Of this connection: how far NTLM got, what the machine says next, and whether it is let in."""

    def do_POST(self) -> None:
        double = self.server.double
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if double.fault == "hang":
            double.over.wait(120)
            self.close_connection = True
        elif double.fault == "garbage":
            self._say(200, b"\x00\xff<not><xml", kind="application/soap+xml;charset=UTF-8")
        elif double.fault == "web":
            self._say(404, b"<html><body>Nothing here</body></html>", kind="text/html")
        elif double.fault == "drop" and double.pools:
            self._break_off()
        elif not self._let_in(double):
            self._say(401, b"", kind="text/plain", more={"WWW-Authenticate": self._asks_for(double)})
        else:
            self._answer(double, body)

    def _answer(self, double: Double, body: bytes) -> None:
        try:
            with double.lock:
                told = _answered(double, ElementTree.fromstring(body))
        except ConnectionAbortedError:
            self._break_off()
            return
        self._say(200, told, kind="application/soap+xml;charset=UTF-8")

    def _asks_for(self, double: Double) -> str:
        if double.ntlm is None:
            return 'Basic realm="WSMAN"'
        offered, self.offered = self.offered, b""
        return f"Negotiate {base64.b64encode(offered).decode()}".strip()

    def _break_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _let_in(self, double: Double) -> bool:
        told = self.headers.get("Authorization", "")
        if double.ntlm is not None:
            return self._talked(double.ntlm, told)
        if told.startswith("http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"):
            return bool(self.connection.getpeercert())
        wanted = base64.b64encode(f"{double.user}:{double.password}".encode()).decode()
        return told == f"Basic {wanted}"

    def _talked(self, users: Path, told: str) -> bool:
        """NTLM belongs to the connection: once its three messages were exchanged, that connection is let in."""
        if self.known:
            return True
        if not told.startswith("Negotiate "):
            return False
        try:
            with self.server.double.lock, _users(users):
                self.talk = self.talk or spnego.server(protocol="ntlm")
                self.offered = self.talk.step(base64.b64decode(told.partition(" ")[2])) or b""
        except SpnegoError:
            self.talk = None
            return False
        self.known = bool(self.talk.complete)
        return self.known

    def _say(self, status: int, body: bytes, *, kind: str, more: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        """Nothing: tests read what was asked from the double."""


def _answered(double: Double, asked: ElementTree.Element) -> bytes:
    action = (asked.findtext("s:Header/wsa:Action", "", NAMES)).rpartition("/")[2]
    shell = asked.findtext("s:Header/wsman:SelectorSet/wsman:Selector", "", NAMES)
    body = asked.find("s:Body", NAMES)
    assert body is not None
    does = {"Create": _create, "Command": _command, "Send": _send, "Receive": _receive}
    said = does[action](double, shell, body) if action in does else ""
    relates = asked.findtext("s:Header/wsa:MessageID", "", NAMES)
    names = " ".join(f'xmlns:{short}="{long}"' for short, long in NAMES.items())
    return (
        f"<s:Envelope {names}><s:Header><wsa:RelatesTo>{relates}</wsa:RelatesTo></s:Header>"
        f"<s:Body>{said}</s:Body></s:Envelope>"
    ).encode()


def _create(double: Double, _shell: str, body: ElementTree.Element) -> str:
    pool = ServerRunspacePool()
    inside = body.find("rsp:Shell", NAMES)
    assert inside is not None
    shell = inside.attrib.get("ShellId") or str(uuid.uuid4()).upper()
    opening = next(one.text or "" for one in inside.iter() if one.tag.endswith("creationXml"))
    _take(pool, opening)
    double.pools[shell] = pool
    return (
        f'<wst:ResourceCreated><wsa:ReferenceParameters><wsman:SelectorSet><wsman:Selector Name="ShellId">{shell}'
        "</wsman:Selector></wsman:SelectorSet></wsa:ReferenceParameters></wst:ResourceCreated>"
        f"<rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId></rsp:Shell>"
    )


def _command(double: Double, shell: str, body: ElementTree.Element) -> str:
    line = body.find("rsp:CommandLine", NAMES)
    assert line is not None
    command = line.attrib.get("CommandId") or str(uuid.uuid4()).upper()
    pool = double.pools[shell]
    double.commands[command] = ServerPipeline(pool, uuid.UUID(command))
    double.lines[command] = []
    _take(pool, line.findtext("rsp:Arguments", "", NAMES), double=double)
    _play(double, command)
    return f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"


def _send(double: Double, shell: str, body: ElementTree.Element) -> str:
    stream = body.find("rsp:Send/rsp:Stream", NAMES)
    assert stream is not None
    _take(double.pools[shell], stream.text or "", double=double)
    _play(double, stream.attrib.get("CommandId", ""))
    return "<rsp:SendResponse/>"


def _receive(double: Double, shell: str, body: ElementTree.Element) -> str:
    wanted = body.find("rsp:Receive/rsp:DesiredStream", NAMES)
    command = wanted.attrib.get("CommandId", "") if wanted is not None else ""
    payload = double.pools[shell].data_to_send(PIECE)
    if payload is None:
        time.sleep(0.05)
    text = base64.b64encode(payload.data).decode() if payload else ""
    whose = f' CommandId="{command}"' if command else ""
    state = f'<rsp:CommandState{whose} State="{RUNNING}"/>' if command else ""
    return f'<rsp:ReceiveResponse><rsp:Stream Name="stdout"{whose}>{text}</rsp:Stream>{state}</rsp:ReceiveResponse>'


def _take(pool: ServerRunspacePool, text: str, *, double: Double | None = None) -> None:
    """Hand what the client sent to the protocol's state, and keep what is input for a script."""
    pool.receive_data(PSRPPayload(base64.b64decode(text), StreamType.default, None))
    while (event := pool.next_event()) is not None:
        if double is None:
            continue
        command = str(event.pipeline_id).upper()
        if isinstance(event, PipelineInputEvent):
            given = event.data
            double.lines[command].extend(str(one) for one in (given if isinstance(given, list) else [given]))
        elif isinstance(event, EndOfPipelineInputEvent):
            double.lines[command].append("\0end")


def _play(double: Double, command: str) -> None:
    """Once the script and all of its input are there: answer, once."""
    pipeline = double.commands.get(command)
    if pipeline is None or pipeline.metadata is None:
        return
    given = double.lines[command]
    if not getattr(pipeline.metadata, "no_input", False) and given[-1:] != ["\0end"]:
        return
    del double.commands[command]
    script = "\n".join(one.command_text for one in pipeline.metadata.commands)
    said = double.answer(script, [one for one in given if one != "\0end"])
    pipeline.start()
    for line in said.output:
        pipeline.write_output(line)
    if said.error:
        pipeline.write_error(NETException(Message=said.error), fully_qualified_error_id="Double")
    pipeline.host_call(HostMethodIdentifier.SetShouldExit, [said.rc])
    pipeline.complete()
