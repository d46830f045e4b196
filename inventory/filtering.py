"""The filter language, the same wherever assets are chosen: ``state:ready site:rathaus os~2008 procedure:"MESO"``.

All terms must hold; ``or`` between them separates alternatives, ``not`` before one turns it round. A term is a field, a
sign and a value: ``:`` (the same, or whole words of it; for lists: one of them), ``=`` (exactly the same), ``~``
(contains), ``<`` ``<=`` ``>`` ``>=`` (numbers and dates), ``!=`` and ``!~`` the opposite. ``field=`` means not known,
``field!=`` known. A word alone means that the name contains it. Values with blanks stand in quotation marks. Case and
repeated blanks do not count. ``attr.kostenstelle`` is an attribute of the town's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from inventory.errors import ExpectedError, because
from inventory.model import FIELDS, Asset, AssetId, field_named, field_word, is_attribute, name_key

SHORT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "os": "os_name",
        "procedure": "procedures",
        "ram": "ram_mib",
        "disk": "disk_gib",
        "cpu": "cpu_cores",
        "ip": "address",
    }
)
"""Short words for fields."""
OWN = ("name", "kind", "id")
FACTS = ("state", "wave", "source")
"""What is known of an asset beside its record; whoever asks gives it along."""
Facts = Mapping[AssetId, Mapping[str, tuple[str, ...]]]
_NOTHING: Facts = MappingProxyType({})
_TERM = re.compile(r"([a-z][a-z_]*|attr\.[a-z][a-z0-9_]*)(!=|!~|<=|>=|[:=~<>])(.*)", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{0,18})?")
_GERMAN_NUMBER = re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})*,[0-9]{1,18}|-?[0-9]{1,18},[0-9]{1,18}")
_SIGNS = re.compile(r"[^\w.]+")
_ORDER = ("<", "<=", ">", ">=")
_ORDERED = ("integer", "number", "decimal", "date")
_OR, _NOT = ("or", "oder"), ("not", "nicht")
_QUOTES = "\"'"


class InvalidFilter(ExpectedError):
    """A filter that says nothing clear."""

    code, says = "INV-011", "The filter {text!r} is not understood at character {position}: {why}."
    remedy = "Write terms such as kind:server, site~rathaus, ram>=4096 or serial!= with blanks between them."
    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition on one field, on ``name``, ``kind`` or ``id``, or on a fact beside the record."""

    field: str
    sign: str
    value: str
    is_turned: bool = False

    def holds(self, asset: Asset, facts: Facts = _NOTHING) -> bool:
        """Whether the asset fulfils it."""
        known = [name_key(one) for one in _words(asset, self.field, facts)]
        return self._holds(known) is not self.is_turned

    def _holds(self, known: Sequence[str]) -> bool:
        wanted = name_key(self.value)
        if self.sign in ("!=", "!~"):
            return not Term(field=self.field, sign=self.sign[1], value=self.value)._holds(known)
        if self.sign in _ORDER:
            return any(_is_in_order(one, self.sign, wanted) for one in known)
        if not wanted:
            return not any(known)
        if self.sign == "~":
            return any(wanted in one for one in known)
        if self.sign == "=":
            return wanted in known
        return any(wanted == one or f" {wanted} " in f" {_SIGNS.sub(' ', one)} " for one in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Alternatives of terms that must all hold; without any, every asset is meant."""

    alternatives: tuple[tuple[Term, ...], ...] = field(default=((),))

    def holds(self, asset: Asset, facts: Facts = _NOTHING) -> bool:
        """Whether the asset is meant."""
        return any(all(term.holds(asset, facts) for term in terms) for terms in self.alternatives)


def parse_filter(text: str, *, facts: bool = False) -> Filter:
    """The filter; ``facts``: whether facts beside the record are known here. Raises InvalidFilter."""
    alternatives: list[list[Term]] = [[]]
    is_turned = False
    position = 1
    for position, word in _split(text):
        if word.casefold() in _OR and not is_turned:
            if not alternatives[-1]:
                raise _invalid(text, position, "a term is missing before it")
            alternatives.append([])
        elif word.casefold() in _NOT and not is_turned:
            is_turned = True
        else:
            alternatives[-1].append(_term(text, position, word, is_turned=is_turned, facts=facts))
            is_turned = False
    if is_turned or (len(alternatives) > 1 and not alternatives[-1]):
        raise _invalid(text, position, "a term is missing after it")
    return Filter(alternatives=tuple(tuple(one) for one in alternatives))


def chosen(assets: Iterable[Asset], text: str, *, facts: Facts | None = None) -> tuple[Asset, ...]:
    """The assets that fulfil the whole filter, by kind and name. Raises InvalidFilter."""
    wanted = parse_filter(text, facts=facts is not None)
    found = (one for one in assets if wanted.holds(one, facts or _NOTHING))
    return tuple(sorted(found, key=lambda asset: (str(asset.kind), name_key(asset.name))))


def is_term(word: str) -> bool:
    """Whether the word is a condition and not a name."""
    return _parts(word) is not None


def _parts(word: str) -> tuple[str, str, str] | None:
    """Field, sign and value; None where it is a name. Capitals mean nothing in the name of a field, but where no field
    is called so, a word with a capital is a name: ``Haus: Keller``."""
    found = _TERM.fullmatch(word)
    if not found:
        return None
    name = SHORT_WORDS.get(field_word(found[1]), field_word(found[1]))
    is_known = field_named(name) is not None or name in OWN or name in FACTS
    return (name, found[2], found[3]) if is_known or found[1].islower() else None


def as_text(words: Iterable[str]) -> str:
    """The words of a command line as one filter: a value with blanks, whose quotation marks the shell took away, gets
    them back."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    parts = word.split()
    if len(parts) < 2 or any(sign in word for sign in _QUOTES) or any(is_term(part) for part in parts[1:]):
        return word
    if {part.casefold() for part in parts} & {*_OR, *_NOT}:
        return word
    found = _parts(word)
    return f'{found[0]}{found[1]}"{found[2]}"' if found else f'"{word}"'


def _split(text: str) -> Iterator[tuple[int, str]]:
    """The words with their positions, counted from 1; quotation marks bind blanks and are taken away."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        began, word, quote = at, "", ""
        while at < len(text) and (quote or not text[at].isspace()):
            sign = text[at]
            if quote and sign == quote:
                quote = ""
            elif not quote and sign in _QUOTES:
                quote, opened = sign, at
            else:
                word += sign
            at += 1
        if quote:
            raise _invalid(text, opened + 1, "the quotation mark is not closed")
        yield began + 1, word


def _term(text: str, position: int, word: str, *, is_turned: bool, facts: bool) -> Term:
    found = _parts(word)
    if not found:
        return Term(field="name", sign="~", value=word, is_turned=is_turned)
    name, sign, value = found
    if name in FACTS and not facts:
        raise _invalid(text, position, because("{a} is not known here", a=name))
    if field_named(name) is None and name not in OWN and name not in FACTS:
        raise _invalid(text, position, because("there is no field {a!r}", a=name))
    if sign in _ORDER and not is_attribute(name) and (name not in FIELDS or FIELDS[name].type not in _ORDERED):
        raise _invalid(text, position, because("{a} is neither a number nor a date", a=name))
    if sign in _ORDER and (is_attribute(name) or FIELDS[name].type != "date") and _number(value) is None:
        raise _invalid(text, position + word.index(sign) + len(sign), because("{a!r} is no number", a=value))
    return Term(field=name, sign=sign, value=value, is_turned=is_turned)


def _invalid(text: str, position: int, why: str) -> InvalidFilter:
    return InvalidFilter(text=text[:120], position=position, why=why)


def _words(asset: Asset, name: str, facts: Facts) -> tuple[str, ...]:
    if name in FACTS:
        return facts.get(asset.id, {}).get(name, ())
    if name in OWN:
        return ({"name": asset.name, "kind": str(asset.kind), "id": str(asset.id)}[name],)
    value = asset.values.get(name)
    return value if isinstance(value, tuple) else () if value is None else (str(value),)


def _is_in_order(one: str, sign: str, wanted: str) -> bool:
    mine, theirs = _number(one), _number(wanted)
    if mine is None and theirs is not None:
        return False
    if mine is None or theirs is None:
        smaller, equal = one < wanted, one == wanted
    else:
        smaller, equal = mine < theirs, mine == theirs
    return {"<": smaller, "<=": smaller or equal, ">": not smaller and not equal, ">=": not smaller}[sign]


def _number(text: str) -> float | None:
    """The number, decimal comma and groups of three included; not-a-number and endless ones are none."""
    if _GERMAN_NUMBER.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    try:
        return float(text) if _NUMBER.fullmatch(text) else None
    except ValueError:
        return None
