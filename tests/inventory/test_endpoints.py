"""An address is told of the one machine that has it; everything else is refused, never guessed."""

from __future__ import annotations

from dataclasses import replace

from inventory.endpoints import at_address, with_named_ends
from inventory.model import AssetKind, DependencyKind
from tests.inventory.builders import a_reading, knowing, needing, said

KNOWN = knowing(
    said("apc-1", AssetKind.WORKSTATION, address="10.0.0.1"),
    said("srv", AssetKind.VM, address="10.0.0.9"),
    said("a", address="10.0.0.5"),
    said("b", address="10.0.0.5"),
)
SNAPSHOT = KNOWN.snapshot


def test_a_dependency_gets_the_names_and_keeps_the_addresses_as_evidence() -> None:
    raw = replace(needing(at_address("10.0.0.1"), at_address("10.0.0.9"), DependencyKind.SOFT), evidence="port 443")
    (one,) = with_named_ends(a_reading(raw), SNAPSHOT).dependencies
    assert (one.asset, one.needs, one.evidence) == ("machine:apc-1", "machine:srv", "port 443 (10.0.0.1 -> 10.0.0.9)")


def test_what_is_seen_at_an_address_is_told_of_its_machine() -> None:
    (one,) = with_named_ends(a_reading(said(at_address("10.0.0.9"), services=("tcp/443",))), SNAPSHOT).observations
    assert (one.kind, one.name, dict(one.values)) == (AssetKind.VM, "srv", {"services": ("tcp/443",)})


def test_unknown_and_shared_addresses_are_refused() -> None:
    reading = a_reading(
        said(at_address("10.9.9.9")),
        said(at_address("10.0.0.5")),
        needing(at_address("10.0.0.1"), at_address("10.9.9.9")),
    )
    found = with_named_ends(reading, SNAPSHOT)
    assert (found.observations, found.dependencies) == ((), ())
    assert ["no machine" in one.says for one in found.refusals] == [True, False, True]


def test_a_reading_without_addresses_stays_as_it_is() -> None:
    reading = a_reading(said("srv"), needing("a", "b"))
    assert with_named_ends(reading, SNAPSHOT) is reading
