"""What rules look at in a machine: its own, its seat's, its procedures'."""

from __future__ import annotations

from inventory.model import AssetId, AssetKind
from orchestrator.core.constraints import Each, Scope
from orchestrator.core.planner.traits import Traits, holds, runs_on, traits_of
from tests.estates import an_asset, an_estate
from tests.ruled_estates import a_procedure, a_server


def seen() -> Traits:
    """A server under two procedures, one of them critical."""
    procedures = (
        a_procedure("EWO", "srv", protection="sehr hoch", vendor="AKDB"),
        a_procedure("KFZ", "SRV", protection="hoch"),
    )
    server = a_server("srv", vendor="Dell", ram_mib=2048, disk_gib=80, disk_used_gib=20)
    estate = an_estate(also=(server, *procedures))
    assert runs_on(estate) == {"ewo": frozenset({"srv"}), "kfz": frozenset({"srv"})}
    return traits_of(estate, [server.id])[server.id]


def test_a_server_has_the_highest_class_and_all_makers_of_its_procedures() -> None:
    one = seen()
    assert (one.protection, one.vendors, one.runs_one) == ("sehr hoch", ("akdb", "dell"), True)
    assert (one.ram_gib, one.disk_gib, one.parts(Each.PROCEDURE)) == (2.0, 20.0, ("ewo", "kfz"))


def test_every_list_of_a_scope_must_hold_it() -> None:
    one = seen()
    assert holds(Scope(kinds=(AssetKind.SERVER,), vendors=("akdb",), names=("S?V",)), one)
    assert not holds(Scope(kinds=(AssetKind.SERVER,), procedures=("Wahl",)), one)


def test_the_model_is_that_of_the_successor() -> None:
    old = an_asset("old", successor="new", model="Alt")
    new = an_asset("new", model="Neu 7")
    assert traits_of(an_estate(also=(old, new)), [AssetId("old")])[old.id].model == "neu 7"
