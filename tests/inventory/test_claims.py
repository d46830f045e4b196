"""What a source says of one record, joined over time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inventory.claims import Claim, claim_of, is_same_said, joined, key_about, record_key
from inventory.model import AssetKind, Value
from tests.inventory.builders import said


def a_claim(at: int, **values: Value) -> Claim:
    return claim_of(replace(said("srv", row=at), values=values), observed_us=at, imported_us=100 + at)


def test_a_record_is_known_by_the_key_its_source_gives_it_else_by_its_name() -> None:
    assert record_key(AssetKind.VM, "SRV  1") == record_key(AssetKind.SERVER, "srv 1") == "machine:srv 1"
    assert record_key(AssetKind.VM, "srv", "vm-7") == "machine:#vm-7"


def test_a_claim_about_a_known_asset_says_which_and_others_say_nothing() -> None:
    about = replace(a_claim(1), key=key_about(AssetKind.VM, ("native-csv", "machine:a|b:@c")))
    assert (about.about, a_claim(1).about) == (("native-csv", "machine:a|b:@c"), None)


def test_the_newest_word_on_each_field_holds_and_the_rest_stays_with_its_own_origin() -> None:
    both = joined(a_claim(5, ram_mib=2), a_claim(3, ram_mib=1, note="old"))
    assert dict(both.values) == {"note": "old", "ram_mib": 2}
    assert [both.origin_of(name).row for name in ("note", "ram_mib")] == [3, 5]
    assert (both.first_us, both.last_us) == (3, 5)


def test_a_record_that_a_complete_list_no_longer_has_is_gone_until_it_is_seen_again() -> None:
    gone = replace(a_claim(3), gone_us=4)
    assert gone.is_gone and not joined(gone, a_claim(5)).is_gone
    assert not is_same_said(gone, a_claim(3))


def test_every_name_a_record_had_in_its_source_is_kept() -> None:
    both = joined(replace(a_claim(1), name="old"), replace(a_claim(2), name="new"))
    assert (both.name, both.aliases) == ("new", ("old",))


CLAIMS = st.builds(
    lambda at, name, values, gone: replace(a_claim(at, **values), name=name, gone_us=gone),
    st.integers(1, 3),
    st.sampled_from(["srv", "SRV", "other", "third"]),
    st.dictionaries(st.sampled_from(["note", "serial", "model"]), st.sampled_from(["a", "b"])),
    st.integers(0, 3),
)


@given(one=CLAIMS, two=CLAIMS, three=CLAIMS)
def test_joining_is_free_of_order_repeatable_and_associative(one: Claim, two: Claim, three: Claim) -> None:
    assert joined(one, two) == joined(two, one)
    assert joined(joined(one, two), two) == joined(one, two)
    assert joined(joined(one, two), three) == joined(one, joined(two, three))
