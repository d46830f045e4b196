"""The filter language of listings: ``kind=server site~rathaus os_name!= name``, all terms must hold.

A term is ``field=value`` (the same, case and blanks aside; for lists: holds it), ``field!=value``, ``field~part``
(contains), or a word alone (the name contains it). ``field=`` means not known, ``field!=`` means known. Values with
blanks stand in quotation marks. Besides the fields there are ``name`` and ``kind``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from inventory.errors import ExpectedError
from inventory.model import FIELDS, Asset, name_key

_TERM = re.compile(r"([a-z_]+)(!=|=|~)(.*)", re.DOTALL)


class InvalidFilter(ExpectedError):
    """A filter that says nothing clear."""

    code, says = "INV-011", "The filter term {term!r} is not understood: {why}."
    remedy = "Write terms such as kind=server, site~rathaus or serial!= with blanks between them."
    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition on one field, or on ``name`` or ``kind``."""

    field: str
    sign: str
    value: str

    def holds(self, asset: Asset) -> bool:
        """Whether the asset fulfils it."""
        known = [name_key(one) for one in _words(asset, self.field)]
        wanted = name_key(self.value)
        if self.sign == "~":
            return any(wanted in one for one in known)
        is_same = wanted in known if wanted else not any(known)
        return is_same if self.sign == "=" else not is_same


def parse_filter(text: str) -> tuple[Term, ...]:
    """The terms of a filter; none for an empty one. Raises InvalidFilter."""
    try:
        words = shlex.split(text)
    except ValueError as wrong:
        raise InvalidFilter(term=text[:80], why="a quotation mark is not closed") from wrong
    return tuple(_term(word) for word in words)


def chosen(assets: Iterable[Asset], text: str) -> tuple[Asset, ...]:
    """The assets that fulfil the whole filter, by kind and name. Raises InvalidFilter."""
    terms = parse_filter(text)
    found = (one for one in assets if all(term.holds(one) for term in terms))
    return tuple(sorted(found, key=lambda asset: (str(asset.kind), name_key(asset.name))))


def _term(word: str) -> Term:
    found = _TERM.fullmatch(word)
    if not found:
        return Term(field="name", sign="~", value=word)
    if found[1] not in FIELDS and found[1] not in ("name", "kind"):
        raise InvalidFilter(term=word[:80], why=f"there is no field {found[1]!r}")
    return Term(field=found[1], sign=found[2], value=found[3])


def _words(asset: Asset, field: str) -> tuple[str, ...]:
    if field == "name":
        return (asset.name,)
    if field == "kind":
        return (str(asset.kind),)
    value = asset.values.get(field)
    return value if isinstance(value, tuple) else () if value is None else (str(value),)
