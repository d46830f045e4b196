"""Access profiles."""

from __future__ import annotations

import pytest

from inventory.psrp_options import Psrp
from orchestrator.core.access import AccessProfile, InvalidAccess, JumpHost


def a_profile(*, name: str = "lab", user: str = "root", jump: JumpHost | None = None) -> AccessProfile:
    return AccessProfile(name=name, user=user, key_file="/keys/lab", jump=jump)


@pytest.mark.parametrize("user", ["", "-oProxyCommand=x", "a b", "root;id", "{{ x }}", "a" * 40, "root\n"])
def test_what_is_no_account_name_is_refused(user: str) -> None:
    with pytest.raises(InvalidAccess, match="account"):
        a_profile(user=user)


def test_the_account_on_the_jump_host_is_checked_as_strictly() -> None:
    with pytest.raises(InvalidAccess):
        a_profile(jump=JumpHost(address="10.0.0.1", host_key="ssh-ed25519 AAAA", user="-x"))


def test_the_port_of_plain_http_is_refused_with_words() -> None:
    with pytest.raises(InvalidAccess, match=r"plain HTTP.*5986"):
        AccessProfile(name="pcs", user="kahn", key_file="/keys/pcs", port=5985, psrp=Psrp(login="ntlm"))


@pytest.mark.parametrize("name", ["", "../x", "Lab", "a b", "-x", "x\n"])
def test_a_profile_is_named_by_a_plain_word(name: str) -> None:
    with pytest.raises(InvalidAccess):
        a_profile(name=name)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_the_port_of_the_jump_host_is_checked_as_strictly(port: int) -> None:
    with pytest.raises(InvalidAccess, match="port"):
        a_profile(jump=JumpHost(address="10.0.0.1", host_key="ssh-ed25519 AAAA", port=port))
