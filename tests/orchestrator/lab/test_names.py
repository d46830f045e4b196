"""Names and addresses derive from the lab's directory and never exceed what the kernel takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.errors import LabFull, LabNameRefused
from orchestrator.lab.names import LabNames, checked_label, control_address, lan_address, lan_mac


def test_two_directories_give_two_sets_of_names() -> None:
    one, other = LabNames(directory=Path("/a/.state/lab")), LabNames(directory=Path("/b/.state/lab"))
    assert one.id != other.id
    assert one.control.startswith(one.id)
    assert one.host(2, 7) == f"{one.id}-2-7"


def test_interface_names_fit_into_fifteen_characters() -> None:
    names = LabNames(directory=Path("/a"))
    assert max(len(name) for name in (names.bridge, names.port(50_000), names.jump_port(250))) <= 15


def test_addresses_and_macs_are_distinct_for_every_host_of_a_tenant() -> None:
    numbers = range(1_000)
    assert len({lan_address(number) for number in numbers}) == 1_000
    assert len({lan_mac(tenant, number) for tenant in (1, 2) for number in numbers}) == 2_000


def test_tenants_share_lan_addresses_but_not_jump_addresses() -> None:
    assert {control_address(tenant) for tenant in (1, 2)} == {"10.76.1.2", "10.76.2.2"}


def test_more_than_the_addresses_allow_is_refused() -> None:
    with pytest.raises(LabFull):
        control_address(251)
    with pytest.raises(LabFull):
        lan_address(50_001)


@pytest.mark.parametrize(
    "name", ["", "../x", "-oProxyCommand=x", "A", "a b", "a/b", "x" * 41, "ü", "a\n", "{{7*7}}", "."]
)
def test_a_name_that_is_no_plain_label_is_refused(name: str) -> None:
    with pytest.raises(LabNameRefused):
        checked_label(name)
