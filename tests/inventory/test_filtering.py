"""The filter language of listings."""

from __future__ import annotations

import pytest

from inventory.filtering import InvalidFilter, chosen, parse_filter
from inventory.model import AssetKind
from tests.inventory.builders import knowing, said

KNOWN = knowing(
    said("Rathaus Neumarkt", AssetKind.SITE),
    said("GIS", AssetKind.PROCEDURE),
    said("srv-1", site="Rathaus Neumarkt", os_name="Debian 12", procedures=("GIS",)),
    said("srv-2", AssetKind.VM, ram_mib=4096),
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["GIS", "srv-1", "Rathaus Neumarkt", "srv-2"]),
        ("kind=server", ["srv-1"]),
        ("SRV", ["srv-1", "srv-2"]),
        ("site~rathaus", ["srv-1"]),
        ('site="rathaus neumarkt"', ["srv-1"]),
        ("procedures=gis", ["srv-1"]),
        ("ram_mib=4096", ["srv-2"]),
        ("srv os_name=", ["srv-2"]),
        ("os_name!=", ["srv-1"]),
        ("srv kind!=vm", ["srv-1"]),
        ("kind=server kind=vm", []),
    ],
)
def test_all_terms_of_a_filter_hold(text: str, names: list[str]) -> None:
    assert [one.name for one in chosen(KNOWN.assets, text)] == names


@pytest.mark.parametrize("text", ["colour=red", 'site="open'])
def test_a_filter_that_says_nothing_clear_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(text)
