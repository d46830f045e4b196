"""The process that asks one Windows machine by PSRP. It is thrown away afterwards, or killed: its libraries know no
limit on how long and how much a machine may speak.

Reads one JSON object from standard input (see ``Errand``), writes one to standard output: ``code`` and ``told`` for a
trouble, or ``text``, or ``certificates``. Standard library until the machine has shown its certificate.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from typing import Any

MOST_MEMORY = 1 << 30
MOST_TEXT = 64 * 1024
NAME_WRONG = frozenset({62, 64})
"""OpenSSL: the name, or the address, is not the certificate's."""
TIMES_WRONG = frozenset({9, 10})
"""OpenSSL: not valid yet, or no more."""


class Trouble(Exception):
    """A code for programs, and a word of the machine or of a library."""

    def __init__(self, code: str, word: object = "") -> None:
        self.code, self.word = code, str(word)[:200]
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Whom to ask, how to log in, what to run; without ``script`` only its certificate is wanted.

    ``trusted`` is the certificate known of it (PEM). ``seconds`` count for connection, silence and the whole.
    """

    address: str
    port: int
    trusted: str
    user: str
    login: str
    key_file: str
    certificate_file: str
    script: str
    connect_s: float
    silence_s: float
    whole_s: float


def main() -> None:
    """Do the errand and say what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    errand = Errand(**json.load(sys.stdin))
    try:
        said = _asked(errand) if errand.script else {"certificate": _shown(errand)}
    except Trouble as trouble:
        said = {"code": trouble.code, "word": trouble.word}
    except MemoryError:
        said = {"code": "too_much", "word": ""}
    json.dump(said, sys.stdout)


def _shown(errand: Errand) -> str:
    """The certificate that the machine shows, as hexadecimal DER; nothing of it is believed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with _secured(errand, context) as line:
        return (line.getpeercert(binary_form=True) or b"").hex()


def _asked(errand: Errand) -> dict[str, Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=errand.trusted)
    except (ssl.SSLError, ValueError) as cause:
        raise Trouble("certificate_unreadable", cause) from cause
    _secured(errand, context).close()
    try:
        return {"text": _ran(errand)[:MOST_TEXT]}
    except Trouble:
        raise
    except MemoryError:
        raise
    except Exception as cause:  # whatever a machine makes the libraries raise
        raise Trouble(*_meaning(cause)) from cause


def _secured(errand: Errand, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A TLS connection to it. Raises Trouble with the cause, which the libraries would hide."""
    try:
        raw = socket.create_connection((errand.address, errand.port), timeout=errand.connect_s)
    except ConnectionRefusedError as cause:
        raise Trouble("psrp_refused") from cause
    except OSError as cause:
        raise Trouble("unreachable", cause.strerror or cause) from cause
    raw.settimeout(errand.silence_s)
    try:
        return context.wrap_socket(raw, server_hostname=errand.address)
    except ssl.SSLCertVerificationError as cause:
        code = "certificate_name" if cause.verify_code in NAME_WRONG else "certificate_untrusted"
        code = "certificate_times" if cause.verify_code in TIMES_WRONG else code
        raise Trouble(code, cause.verify_message) from cause
    except TimeoutError as cause:
        raise Trouble("psrp_silent") from cause
    except OSError as cause:
        raise Trouble("not_psrp", "no TLS") from cause


def _ran(errand: Errand) -> str:
    from pypsrp.complex_objects import PSInvocationState
    from pypsrp.powershell import PowerShell, RunspacePool
    from pypsrp.wsman import WSMan

    # The library wants a file; this one has no name and dies with the process.
    trusted = os.memfd_create("trusted")
    os.write(trusted, errand.trusted.encode())
    wsman = WSMan(
        errand.address,
        port=errand.port,
        username=errand.user or None,
        password=_password(errand),
        auth=errand.login,
        cert_validation=f"/proc/self/fd/{trusted}",  # type: ignore[arg-type]
        connection_timeout=max(1, round(errand.connect_s)),
        read_timeout=max(1, round(errand.silence_s)),
        operation_timeout=max(1, round(errand.silence_s) - 1),
        no_proxy=True,
        certificate_pem=errand.certificate_file or None,
        certificate_key_pem=errand.key_file if errand.certificate_file else None,
    )
    until = time.monotonic() + errand.whole_s
    with wsman, RunspacePool(wsman) as pool:
        script = PowerShell(pool)
        script.add_script(errand.script)
        script.begin_invoke()
        said: list[str] = []
        while (
            script.state == PSInvocationState.RUNNING and time.monotonic() < until and sum(map(len, said)) < MOST_TEXT
        ):
            script.poll_invoke()
            said += [str(one) for one in script.output]
            script.output.clear()
        if script.had_errors and not said:
            raise Trouble("no_report", "; ".join(str(one) for one in script.streams.error))
        return "\n".join(said)


def _password(errand: Errand) -> str | None:
    if errand.login == "certificate":
        return None
    try:
        with open(errand.key_file, encoding="utf-8") as file:
            return file.read(4096).rstrip()
    except (OSError, ValueError) as cause:
        raise Trouble("key_file", getattr(cause, "strerror", "") or "it is no text") from cause


def _meaning(cause: Exception) -> tuple[str, object]:
    """What an exception of the libraries says about the machine."""
    from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
    from requests.exceptions import ConnectionError, Timeout

    if isinstance(cause, AuthenticationError):
        return "psrp_login", ""
    if isinstance(cause, WSManFaultError):
        return ("psrp_refuses" if cause.code else "not_psrp"), cause.reason or cause.code or "no SOAP"
    if isinstance(cause, WinRMTransportError):
        return ("psrp_login" if cause.code in {401, 403} else "not_psrp"), f"HTTP {cause.code}"
    if isinstance(cause, Timeout | TimeoutError):
        return "psrp_silent", ""
    if isinstance(cause, ConnectionError | OSError) and not isinstance(cause, FileNotFoundError):
        return "psrp_broke_off", ""
    return "not_psrp", type(cause).__name__


if __name__ == "__main__":
    main()
