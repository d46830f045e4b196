"""Things by a key that mostly belongs to one of them."""

from __future__ import annotations

from inventory.several import Several


def test_a_key_has_its_values_in_the_order_in_which_they_came() -> None:
    found = Several[str, int]()
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("a", 1), ("c", 0)):
        found.add(key, value)
    assert found.shared == {"a": [1, 3, 1]}
    assert [list(found.of(key)) for key in "abcd"] == [[1, 3, 1], [2], [0], []]


def test_what_one_value_alone_has_can_be_taken_out() -> None:
    found = Several[str, int]()
    for key in "aab":
        found.add(key, 1)
    assert found.alone() == {"b": 1} and found.of("b") == ()
