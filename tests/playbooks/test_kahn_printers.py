"""Printers of CUPS: what is taken over from an old host, and what is not."""

from __future__ import annotations

import pytest

from tests.playbooks.modules import shared

printers = shared("kahn_printers")
FLUR = """# Printer configuration file for CUPS
<DefaultPrinter Flur>
UUID urn:uuid:1
AuthInfoRequired none
Info Drucker im Flur
DeviceURI ipp://drucker-flur.stadt.example/ipp/print
State Stopped
StateMessage Toner fehlt
Reason toner-empty
Type 4
Accepting Yes
</DefaultPrinter>
"""
DRIVER = """*PPD-Adobe: "4.3"
*ModelName: "Muster"
*cupsFilter: "application/vnd.cups-raster 0 rastertohp"
*cupsFilter2: "application/pdf application/vnd.cups-pdf 10 -"
"""


def entry(uri: str, name: str = "Kasse") -> str:
    return f"<Printer {name}>\nDeviceURI {uri}\n</Printer>\n"


def taken(text: str, driver: str | None = None) -> tuple[list[str], list[str]]:
    found, left = printers.read(text, lambda name: driver)
    return [one["name"] for one in found], left


def test_an_entry_is_taken_over_without_the_state_of_the_moment() -> None:
    found, left = printers.read(FLUR, lambda name: None)
    assert (found[0]["name"], found[0]["default"], left) == ("Flur", True, [])
    text = printers.added("", found)
    assert "Toner" not in text and "DeviceURI ipp://drucker-flur.stadt.example/ipp/print" in text
    assert printers.blocks(text)[0][:2] == ("Flur", True)


def test_the_default_of_the_new_host_stays_its_default() -> None:
    text = printers.added(FLUR, [{"name": "Kasse", "default": True, "lines": ["DeviceURI ipp://k/"]}])
    assert [(name, default) for name, default, _ in printers.blocks(text)] == [("Flur", True), ("Kasse", False)]


def test_taking_away_leaves_every_byte_of_the_others() -> None:
    text = printers.added(FLUR, [{"name": "Kasse", "default": False, "lines": ["DeviceURI ipp://k/"]}])
    assert printers.without(text, ["Kasse"]) == FLUR


@pytest.mark.parametrize("uri", ["file:/dev/sda", "beh:/1/3/5/ipp://x", "cups-pdf:/", "/bin/sh", "ipp://a b", ""])
def test_addresses_that_could_be_anything_are_not_taken_over(uri: str) -> None:
    names, left = taken(entry(uri))
    assert names == [] and left == ["printer Kasse: its address is of a kind that is not taken over"]


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "-rf", ".verborgen", "a#b"])
def test_names_that_leave_their_place_are_not_even_read(name: str) -> None:
    assert printers.blocks(entry("ipp://x/", name)) == []


def test_a_plain_driver_file_is_taken_over_and_its_filters_are_named() -> None:
    assert taken(entry("ipp://x/"), DRIVER) == (["Kasse"], [])
    assert printers.filters(DRIVER) == ["rastertohp"]


@pytest.mark.parametrize(
    "line",
    [
        '*FoomaticRIPCommandLine: "touch /tmp/x"',
        '*foomaticripcommandline: "touch /tmp/x"',
        '*cupsPreFilter: "application/pdf 0 /tmp/x"',
        '*cupsFilter: "application/pdf 0 ../../../../tmp/x"',
        '*cupsFilter2: "application/pdf application/pdf 0 /tmp/x"',
        '*cupsFilter: "application/pdf"',
    ],
)
def test_a_driver_file_that_names_commands_is_not_taken_over(line: str) -> None:
    names, left = taken(entry("ipp://x/"), DRIVER + line + "\n")
    assert names == [] and "driver file" in left[0]


def test_what_is_no_driver_file_is_not_taken_over() -> None:
    assert taken(entry("ipp://x/"), "#!/bin/sh\n")[0] == []
