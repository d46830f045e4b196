"""How a Windows machine is reached by PSRP (PowerShell remoting over HTTPS), as variables of ansible's own connection.

A machine proves who it is by a certificate that is known beforehand, as an ssh host key is: its own, or that of the
authority that issued it, and the name in it must be the address. Neither can be switched off.
"""

from __future__ import annotations

import base64
import re
import textwrap
from dataclasses import dataclass
from typing import Any

CERTIFICATE_KEY = "x509"
"""Type of a host key that is a certificate: ``x509 BASE64`` of its DER form."""
LOGINS = ("ntlm", "basic", "certificate")
PORT = 5986
PLAIN_PORT = 5985
"""Where WinRM listens without TLS: never spoken to."""
CONNECT_S, OPERATION_S, READ_S = 10, 20, 30
"""Seconds: for a connection, for one answer of the service, and until a line counts as dead."""
_ACCOUNT = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9.-]{0,62}\\)?[A-Za-z0-9_][A-Za-z0-9._-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,127})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Psrp:
    """How Kahn logs in: ``login`` is one of LOGINS; ``certificate_file`` belongs to the login of that name, and then
    the access profile's key file is its private key. Otherwise the key file holds the password alone.
    """

    login: str = "ntlm"
    certificate_file: str = ""


def is_account(user: str) -> bool:
    """Whether it is a Windows account: NAME, DOMAIN\\NAME or NAME@REALM, and nothing that means more."""
    return bool(_ACCOUNT.fullmatch(user))


def is_certificate(host_key: str) -> bool:
    """Whether the known host key is a certificate."""
    return host_key.startswith(f"{CERTIFICATE_KEY} ")


def certificate_pem(host_key: str) -> str:
    """The certificate as programs read it from a file."""
    lines = textwrap.wrap(host_key.split()[1], 64)
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""))


def certificate_host_key(der: bytes) -> str:
    """The host key that a certificate in DER form stands for."""
    return f"{CERTIFICATE_KEY} {base64.b64encode(der).decode()}"


def psrp_variables(way: Psrp, *, key_file: str, trusted: str) -> dict[str, Any]:
    """Variables of the connection beside address, port and user. ``trusted`` is the file with the known certificate."""
    variables: dict[str, Any] = {
        "ansible_connection": "psrp",
        "ansible_become": False,
        "ansible_psrp_protocol": "https",
        "ansible_psrp_auth": way.login,
        "ansible_psrp_cert_validation": "validate",
        "ansible_psrp_ca_cert": trusted,
        "ansible_psrp_ignore_proxy": True,
        "ansible_psrp_connection_timeout": CONNECT_S,
        "ansible_psrp_operation_timeout": OPERATION_S,
        "ansible_psrp_read_timeout": READ_S,
        "ansible_psrp_reconnection_retries": 0,
    }
    if way.login == "certificate":
        return {
            **variables,
            "ansible_psrp_certificate_pem": way.certificate_file,
            "ansible_psrp_certificate_key_pem": key_file,
        }
    return variables
