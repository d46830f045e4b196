"""A Windows machine is reached over HTTPS with a certificate that is known, and its password stands in no inventory."""

from __future__ import annotations

import base64

import pytest
import yaml

from inventory.addressing import parse_host_key
from inventory.ansible_inventory import EmittedMachine, EmittedMove, emit
from inventory.model import InvalidValue
from inventory.psrp_options import Psrp, certificate_host_key, certificate_pem, is_account
from inventory.ssh_options import CannotEmit, Hop, Reach, RunPlaces

DER = b"\x30\x82\x01\x00" + bytes(256)
KEY = certificate_host_key(DER)
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBf5P5mV6eDq2yIYqkEo3KpVJpsVmjYbLhIYtDq7yM5q"
PLACES = RunPlaces(known_hosts="/run/kahn/known_hosts", sockets="/run/kahn/s")


def a_reach(**changes: object) -> Reach:
    given: dict[str, object] = {
        "address": "pc1.stadt.example",
        "port": 5986,
        "user": "STADT\\kahn",
        "become": False,
        "key_file": "/etc/kahn/windows.password",
        "host_key": KEY,
        "psrp": Psrp(),
    }
    return Reach(**{**given, **changes})  # type: ignore[arg-type]


class _AsAnsibleReads(yaml.SafeLoader):
    """Keeps the mark of a text, so that a test sees what would be a template."""


_AsAnsibleReads.add_constructor("!unsafe", lambda loader, node: ("unsafe", node.value))


def emitted(reach: Reach) -> tuple[dict[str, object], object]:
    machine = EmittedMachine(role="source", name="PC {{ 1 }}", mac=(), reach=reach)
    found = emit([EmittedMove(host="pc-1", name="PC", on="source", machines=(machine,))], places=PLACES)
    tree = yaml.load(found.inventory, Loader=_AsAnsibleReads)
    return tree["all"]["children"]["kahn_moves"]["hosts"]["pc-1"], found


def test_the_way_is_https_with_the_known_certificate_and_nothing_of_it_can_be_switched_off() -> None:
    host, found = emitted(a_reach())
    assert host["ansible_connection"] == ("unsafe", "psrp")
    assert host["ansible_psrp_protocol"] == ("unsafe", "https")
    assert host["ansible_psrp_cert_validation"] == ("unsafe", "validate")
    assert host["ansible_psrp_ca_cert"] == ("unsafe", "/run/kahn/known_hosts.k1.pem")
    assert found.certificates == {"/run/kahn/known_hosts.k1.pem": certificate_pem(KEY)}  # type: ignore[attr-defined]
    assert (host["ansible_become"], host["kahn_ssh"]) == (False, {})


def test_the_password_is_read_from_its_file_when_it_is_needed_and_is_the_only_template() -> None:
    host, _found = emitted(a_reach())
    plain = {name: one for name, one in host.items() if isinstance(one, str) and "{" in one}
    assert plain == {"ansible_password": "{{ lookup('ansible.builtin.file', '/etc/kahn/windows.password') }}"}


def test_with_a_certificate_to_log_in_by_there_is_no_password_at_all() -> None:
    host, _found = emitted(a_reach(psrp=Psrp(login="certificate", certificate_file="/etc/kahn/kahn.pem")))
    assert "ansible_password" not in host
    assert host["ansible_psrp_certificate_key_pem"] == ("unsafe", "/etc/kahn/windows.password")


@pytest.mark.parametrize(
    "changes",
    [
        {"host_key": SSH_KEY},
        {"host_key": ""},
        {"psrp": None},
        {"become": True},
        {"hop": Hop(address="10.0.0.1", port=22, user="root", host_key=SSH_KEY)},
        {"key_file": "/etc/kahn/it's"},
        {"key_file": "/etc/{{ x }}"},
        {"user": "kahn' x"},
        {"psrp": Psrp(login="credssp")},
        {"psrp": Psrp(login="certificate", certificate_file="kahn.pem")},
    ],
)
def test_what_could_be_read_otherwise_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(CannotEmit):
        a_reach(**changes)


@pytest.mark.parametrize("user", ["kahn", "Administrator", "STADT\\kahn", "kahn@stadt.example", "a.b-c_d"])
def test_windows_accounts_are_taken_in_their_three_forms(user: str) -> None:
    assert is_account(user) and a_reach(user=user).user == user


@pytest.mark.parametrize("user", ["", "a b", "a\\b\\c", "-x", "{{x}}", "a\n", "ä", "a@b@c", "x" * 200])
def test_other_texts_are_no_accounts(user: str) -> None:
    assert not is_account(user)


def test_a_certificate_is_kept_as_a_host_key() -> None:
    assert parse_host_key("host_key", f"{KEY} a comment") == KEY
    assert base64.b64decode("".join(certificate_pem(KEY).splitlines()[1:-1])) == DER


@pytest.mark.parametrize(
    "text",
    ["x509", "x509 ====", "x509 AAAA", KEY[:-8], certificate_host_key(b"\x30\x82\xff\xff" + bytes(65535)), KEY + "{{"],
)
def test_what_is_no_certificate_is_no_host_key(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_host_key("host_key", text)
