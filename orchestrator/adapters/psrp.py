"""Windows machines by PSRP: which certificate one shows, and what a short script says there.

Each machine is asked by a process of its own, which is killed once its time is over: the libraries read for as long and
as much as a machine likes. Nothing of what it says is believed before it has shown the known certificate.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inventory.psrp_options import Psrp, certificate_host_key, certificate_pem, is_certificate
from orchestrator.adapters.ssh_session import Patience, failed
from orchestrator.core.explain import Sentence
from orchestrator.core.host_keys import Door

CHILD = Path(__file__).with_name("psrp_child.py")
SCRIPT = Path(__file__).with_name("look.ps1").read_text(encoding="ascii")
MOST_ANSWER = 1 << 20
_TROUBLES: Mapping[str, Sentence] = MappingProxyType({
    "unreachable": Sentence(says="it does not answer: {word}"),
    "psrp_refused": Sentence(says="nothing listens on its port {port}"),
    "psrp_silent": Sentence(says="it takes the connection and says nothing"),
    "not_psrp": Sentence(says="what answers on its port {port} is no PSRP service ({word})"),
    "psrp_broke_off": Sentence(says="it breaks the connection off in the midst of an answer"),
    "psrp_login": Sentence(says="it does not let {user} in by {login}"),
    "psrp_refuses": Sentence(says="its PSRP service refuses: {word}"),
    "certificate_untrusted": Sentence(says="its certificate is not the known one, nor issued by it: {word}"),
    "certificate_name": Sentence(says="its certificate is not made out to {address}: {word}"),
    "certificate_times": Sentence(says="its certificate is not valid today: {word}"),
    "certificate_unreadable": Sentence(says="the certificate in the inventory cannot be read"),
    "key_file": Sentence(says="the file with its password cannot be read: {word}"),
    "no_report": Sentence(says="it does not run the script: {word}"),
    "too_much": Sentence(says="it says more than a machine should"),
    "too_late": Sentence(says="it did not end in time"),
})  # fmt: skip
"""What the asking process may say, in words for people."""
_ODD = Sentence(says="it does not keep to the protocol")
_ISSUED = Sentence(says="its certificate was issued by {issuer}: import that authority's certificate as its host key")
_NOT_ITS_NAME = Sentence(
    says="its certificate is made out to {names}, not to {address}: correct its address, or its certificate"
)


def ask_by_psrp(door: Door, *, patience: Patience, within_s: float) -> str:
    """What the look says on the machine behind the door. Raises NoKey, as ssh does."""
    if not is_certificate(door.known):
        raise failed("no_host_key", Sentence(says="its certificate is not known yet; run `kahn asset scan` first"))
    return str(_asked(door, patience=patience, within_s=within_s, script=SCRIPT).get("text", ""))


def shown_certificate(door: Door, *, patience: Patience) -> str:
    """The machine's own certificate as a host key. Raises NoKey, also where it could not be used to know it by."""
    told = _asked(door, patience=patience, within_s=patience.exchange_s, script="")
    der = bytes.fromhex(str(told.get("certificate", "")))
    _check_own(der, door)
    return certificate_host_key(der)


def _check_own(der: bytes, door: Door) -> None:
    """Only a certificate signed by itself, and made out to the address, proves a machine. Raises NoKey."""
    from cryptography import x509  # takes a tenth of a second

    try:
        found = x509.load_der_x509_certificate(der)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known = {name.casefold() for name in names.get_values_for_type(x509.DNSName)}
        known |= {str(one) for one in names.get_values_for_type(x509.IPAddress)}
    except x509.ExtensionNotFound:
        known = set()
    except Exception as cause:  # a machine may send anything
        raise failed("not_psrp", Sentence(says="what it shows is no certificate")) from cause
    if found.issuer != found.subject:
        facts: dict[str, object] = {"issuer": found.issuer.rfc4514_string()[:120]}
        raise failed("certificate_issued", replace(_ISSUED, facts=facts))
    if _plain(door.address) not in known:
        facts = {"names": ", ".join(sorted(known))[:200] or "-", "address": door.address}
        raise failed("certificate_name", replace(_NOT_ITS_NAME, facts=facts))


def _plain(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address.casefold()


def _asked(door: Door, *, patience: Patience, within_s: float, script: str) -> dict[str, Any]:
    profile, way = door.profile, door.profile.psrp or Psrp()
    errand = {
        "address": door.address,
        "port": profile.port,
        "trusted": certificate_pem(door.known) if script else "",
        "user": profile.user,
        "login": way.login,
        "key_file": profile.key_file,
        "certificate_file": way.certificate_file,
        "script": script,
        "connect_s": patience.connect_s,
        "silence_s": patience.greet_s,
        "whole_s": within_s,
    }
    told = _child(errand, within_s=patience.connect_s + 2 * patience.greet_s + within_s)
    code = told.get("code")
    if code is None:
        return told
    words = _TROUBLES.get(str(code), _ODD)
    known = {"word": str(told.get("word", "")), "port": profile.port, "user": profile.user, "login": way.login}
    facts = {name: one for name, one in {**known, "address": door.address}.items() if f"{{{name}}}" in words.says}
    raise failed(str(code), replace(words, facts=facts))


def _child(errand: Mapping[str, Any], *, within_s: float) -> dict[str, Any]:
    """What the process says, or why it said nothing. The password's file is read there, so no argument holds it."""
    argv = [sys.executable, "-I", str(CHILD)]
    try:
        done = subprocess.run(
            argv, input=json.dumps(errand).encode(), capture_output=True, timeout=within_s, check=False
        )
        told = json.loads(done.stdout[:MOST_ANSWER])
    except subprocess.TimeoutExpired:
        return {"code": "too_late"}
    except (OSError, ValueError):
        return {"code": "too_much"}
    return told if isinstance(told, dict) else {"code": "too_much"}
