"""Which claims speak of one asset."""

from __future__ import annotations

from dataclasses import replace

from inventory.claims import Claim, ClaimKey, claim_of
from inventory.decisions import Pairs
from inventory.identity import NO_PAIRS, Clusters, clusters
from inventory.model import AssetKind, Value
from tests.inventory.builders import said

UUID_1, UUID_2 = "4203abcd-0000-0000-0000-000000000001", "4203abcd-0000-0000-0000-000000000002"
MAC = ("00:50:56:00:00:01",)


def a_claim(source: str, name: str, *, at: int = 1, kind: AssetKind = AssetKind.SERVER, **values: Value) -> Claim:
    return claim_of(replace(said(name, kind), values=values, source=source), observed_us=at, imported_us=at)


def found(*claims: Claim, pairs: Pairs = NO_PAIRS) -> Clusters:
    return clusters({one.id: one for one in claims}, pairs)


def assets(*claims: Claim, pairs: Pairs = NO_PAIRS) -> list[list[str]]:
    """The clusters, each as ``source/name`` of its claims."""
    together: dict[ClaimKey, list[str]] = {}
    clustered = found(*claims, pairs=pairs)
    for one in claims:
        together.setdefault(clustered.of(one.id), []).append(f"{one.source}/{one.name}")
    return sorted(sorted(some) for some in together.values())


def test_a_name_joins_sources_whatever_its_case_blanks_coding_of_umlauts_and_domain() -> None:
    assert len(assets(a_claim("ad", "Bürger  PC"), a_claim("glpi", "bu\u0308rger pc"))) == 1
    assert len(assets(a_claim("ad", "SRV-1"), a_claim("opsi", "srv-1.stadt.example"))) == 1


def test_each_stronger_mark_joins_machines_with_different_names() -> None:
    for marks in ({"uuid": UUID_1}, {"serial": "S-1"}, {"mac": MAC}, {"fqdn": "a.stadt.example"}):
        assert len(assets(a_claim("ad", "a", **marks), a_claim("glpi", "b", **marks))) == 1, marks


def test_what_differs_in_a_stronger_mark_is_two_machines_and_a_question() -> None:
    one, other = a_claim("rvtools", "srv", uuid=UUID_1, serial="S-1"), a_claim("glpi", "srv", uuid=UUID_2, serial="S-1")
    assert len(assets(one, other)) == 2
    assert [(q.mark, q.why) for q in found(one, other).questions] == [
        (("serial", "s-1"), "uuid"),
        (("name", "srv"), "uuid"),
    ]


def test_equal_addresses_never_join() -> None:
    one, other = a_claim("ad", "a", address="10.0.0.1"), a_claim("glpi", "b", address="10.0.0.1")
    assert len(assets(one, other)) == 2
    assert len(assets(a_claim("nmap", "10.0.0.1"), a_claim("zeek", "10.0.0.1"))) == 2


def test_a_mark_on_two_records_of_one_source_identifies_neither_and_is_a_question() -> None:
    three = a_claim("ad", "a", serial="S-1"), a_claim("ad", "b", serial="S-1"), a_claim("glpi", "c", serial="S-1")
    assert len(assets(*three)) == 3
    assert [question.why for question in found(*three).questions] == ["source"]


def test_where_a_shared_mark_says_nothing_the_name_still_does() -> None:
    three = a_claim("ad", "a", serial="S-1"), a_claim("ad", "b", serial="S-1"), a_claim("glpi", "A", serial="S-1")
    assert assets(*three) == [["ad/a", "glpi/A"], ["ad/b"]]


def test_a_record_that_ended_before_another_with_its_serial_number_began_was_renamed() -> None:
    assert len(assets(a_claim("ad", "old", serial="S-1"), a_claim("ad", "new", serial="S-1", at=2))) == 1
    lives_on = replace(a_claim("ad", "old", serial="S-1", at=2), first_us=1)
    assert len(assets(lives_on, a_claim("ad", "new", serial="S-1", at=2))) == 2


def test_of_several_machines_with_one_name_the_site_tells_which_is_meant() -> None:
    two = [replace(a_claim("rvtools", "srv", site=site), key=f"machine:#{site}") for site in ("Rathaus", "Bauhof")]
    assert assets(*two, a_claim("ad", "SRV", site="bauhof")) == [["ad/SRV", "rvtools/srv"], ["rvtools/srv"]]
    assert len(assets(*two, a_claim("ad", "SRV"))) == 3


def test_a_record_with_a_key_of_its_source_stays_with_its_asset_when_it_is_renamed_there() -> None:
    renamed = replace(a_claim("netbox", "new"), key="machine:#12", aliases=("old",))
    assert len(assets(a_claim("ad", "old"), renamed)) == 1
    other = replace(a_claim("netbox", "old"), key="machine:#13")
    assert assets(a_claim("ad", "old"), renamed, other) == [["ad/old", "netbox/old"], ["netbox/new"]]


def test_places_and_procedures_are_joined_by_name_within_their_group() -> None:
    one, other = a_claim("ad", "GIS", kind=AssetKind.PROCEDURE), a_claim("glpi", "gis", kind=AssetKind.PROCEDURE)
    assert len(assets(one, other, a_claim("ad", "GIS"))) == 2


def test_what_a_person_decided_goes_before_every_mark() -> None:
    one, other = a_claim("ad", "a"), a_claim("glpi", "b")
    same = frozenset({(one.id, other.id), (other.id, one.id)})
    assert len(assets(one, other, pairs=Pairs(same=same, different=frozenset()))) == 1
    alike = a_claim("ad", "a", uuid=UUID_1), a_claim("glpi", "a", uuid=UUID_1)
    pairs = Pairs(same=frozenset(), different=frozenset({(alike[0].id, alike[1].id), (alike[1].id, alike[0].id)}))
    assert len(assets(*alike, pairs=pairs)) == 2
    assert found(*alike, pairs=pairs).questions == ()


def test_a_thousand_machines_with_a_makers_habit_for_a_number_take_no_time() -> None:
    many = [a_claim("ad", f"pc-{at}", serial="OEM-SERIAL") for at in range(1_000)]
    assert len(assets(*many, a_claim("glpi", "pc-7"))) == 1_000
