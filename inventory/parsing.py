"""Text to values: how a cell of a file becomes the value of a field, whatever the format it stood in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from inventory.addressing import parse_address, parse_dns_name, parse_host_key, parse_mac, parse_uuid
from inventory.errors import because
from inventory.model import MACHINES, MAX_ATTRIBUTE_TEXT, AssetKind, Field, InvalidValue, Value, check_text
from inventory.naming import parse_name

MAX_NUMBER = 10**12
MAX_LIST = 500
_GROUPED = re.compile(r"[0-9]{1,3}([.,' \u00a0])[0-9]{3}(\1[0-9]{3})*")
_PLAIN = re.compile(r"[0-9]{1,16}")
_POINT = re.compile(r"[0-9]{0,16}\.[0-9]{1,16}|[0-9]{1,16}\.")
_COMMA = re.compile(r"[0-9]{0,16},[0-9]{1,16}|[0-9]{1,16},")
_GERMAN = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]*")
_ENGLISH = re.compile(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]*")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].*)?")
_GERMAN_DATE = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?: .*)?")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,40}")
_CONTACT = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")
_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "j", "wahr"})
_NO = frozenset({"no", "n", "false", "0", "nein", "falsch"})

CHOICE_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "power": {
            "an": "on", "ein": "on", "eingeschaltet": "on", "poweredon": "on", "running": "on", "läuft": "on",
            "aus": "off", "ausgeschaltet": "off", "poweredoff": "off", "stopped": "off",
            "angehalten": "suspended", "paused": "suspended", "pausiert": "suspended",
        },
        "protection": {"high": "hoch", "very high": "sehr hoch", "sehr_hoch": "sehr hoch", "sehrhoch": "sehr hoch"},
        "strategy": {
            "verlagern": "rehost", "plattformwechsel": "replatform", "ersetzen": "replace", "repurchase": "replace",
            "umbauen": "refactor", "umziehen": "relocate", "belassen": "retain", "ablösen": "retire",
            "stilllegen": "retire",
        },
        "role": {"tresor": "vault", "sprungrechner": "jump", "jump host": "jump"},
    }
)  # fmt: skip
"""German and foreign words for the choices of a field, case-folded."""


def parse_value(field: Field, raw: object, *, german: bool = False) -> Value:
    """The raw cell or JSON value as this field's value; ``german`` reads ``1.024`` as a thousand and ``1,5`` as
    one and a half. Raises InvalidValue."""
    if field.type in ("list", "mac_list"):
        return _list(field, raw)
    if field.type == "integer":
        return parse_integer(field.name, raw)
    if field.type == "number":
        return parse_number(field.name, raw, german=german)
    if isinstance(raw, bool):
        if field.type == "yes_no":
            return raw
        raise _invalid(field.name, raw, "text is expected, not true or false")
    return _BY_TYPE[field.type](field, clean_text(field.name, raw), german)


def clean_text(field_name: str, raw: object) -> str:
    """Text in composed form without blanks around it; numbers are written out. Raises InvalidValue."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if not isinstance(raw, str | int | float):
        raise _invalid(field_name, raw, "one plain value is expected")
    text = unicodedata.normalize("NFC", str(raw).replace("\r\n", "\n")).strip()
    check_text(field_name, text)
    return text


def parse_integer(field_name: str, raw: object) -> int:
    """A whole number from 0; ``1.024``, ``1,024``, ``1 024`` and ``16,0`` are understood. Raises InvalidValue."""
    # A point or comma between groups of three can only be a thousands sign where no fraction is possible.
    if isinstance(raw, str) and _GROUPED.fullmatch(raw.strip()):
        return int(_limited(field_name, raw, int(re.sub(r"\D", "", raw))))
    number = parse_number(field_name, raw)
    if number != int(number):
        raise _invalid(field_name, raw, "a whole number is expected")
    return int(number)


def parse_number(field_name: str, raw: object, *, german: bool = False) -> float:
    """A number from 0. Without ``german`` a lone ``1,024`` is refused: it has two readings. Raises InvalidValue."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _limited(field_name, raw, raw)
    if not isinstance(raw, str):
        raise _invalid(field_name, raw, "a number is expected")
    text = raw.strip()
    if len(text) > 40:
        raise _invalid(field_name, raw, "it is no number")
    if text[:1] in ("-", "\u2212"):
        return _limited(field_name, raw, -_from_digits(field_name, text[1:].strip(), german=german) or 0.0)
    return _limited(field_name, raw, _from_digits(field_name, text, german=german))


def parse_date(field_name: str, text: str) -> str:
    """A day as YYYY-MM-DD from that or from dd.mm.yyyy; a time of day is dropped. Raises InvalidValue."""
    if found := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _GERMAN_DATE.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    else:
        raise _invalid(field_name, text, "write the date as 31.12.2026 or 2026-12-31")
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise _invalid(field_name, text, "there is no such day") from None


def parse_yes_no(field_name: str, text: str) -> bool:
    """Yes or no in English or German. Raises InvalidValue."""
    word = text.casefold()
    if word not in _YES | _NO:
        raise _invalid(field_name, text, "write yes or no")
    return word in _YES


def parse_choice(field: Field, text: str) -> str:
    """One of the field's choices, from its English or German word. Raises InvalidValue."""
    word = " ".join(text.casefold().split())
    word = CHOICE_WORDS.get(field.name, {}).get(word, word)
    if word not in field.choices:
        raise _invalid(field.name, text, because("it is none of {a}", a=", ".join(field.choices)))
    return word


def split_list(text: str) -> tuple[str, ...]:
    """The parts of a list: separated by ``|`` where there is one, else by ``,``; empty parts dropped."""
    return tuple(part.strip() for part in text.split("|" if "|" in text else ",") if part.strip())


def _list(field: Field, raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        raw = _split(field, raw)
    if not isinstance(raw, list | tuple):
        raise _invalid(field.name, raw, "a list is expected")
    if len(raw) > MAX_LIST:
        raise _invalid(field.name, f"{len(raw)} entries", because("a list has at most {a}", a=MAX_LIST))
    parse = parse_mac if field.type == "mac_list" else _member(field)
    parts = (parse(field.name, clean_text(field.name, part)) for part in raw)
    return tuple(dict.fromkeys(part for part in parts if part))


def _split(field: Field, text: str) -> tuple[str, ...]:
    """Free texts hold commas of their own, so only ``|`` parts them."""
    if field.type == "mac_list":
        return split_list(text.replace(";", ","))
    return split_list(text if field.refers_to else f"{text}|")


def _member(field: Field) -> Callable[[str, str], str]:
    if field.refers_to:
        return lambda name, text: _reference(field, text)
    return lambda name, text: text


def _reference(field: Field, text: str) -> str:
    kind = AssetKind.SERVER if field.refers_to <= MACHINES else min(field.refers_to)
    try:
        return parse_name(kind, text)
    except InvalidValue as wrong:
        raise _invalid(field.name, text, str(wrong.facts["why"])) from None


def _text(field: Field, text: str) -> str:
    return _reference(field, text) if field.refers_to else text


def _decimal(field: Field, text: str, german: bool) -> str:
    bare = re.sub(r"\s*(€|eur|euro)$|^(€|eur)\s*", "", text, flags=re.IGNORECASE)
    return f"{parse_number(field.name, bare, german=german):.2f}"


def _word(field_name: str, text: str) -> str:
    if not _WORD.fullmatch(text):
        raise _invalid(field_name, text, "use a-z, 0-9, - and _, starting with a letter")
    return text


def _contact(field_name: str, text: str) -> str:
    """A short name as in the file of contacts, or a person's id; lists of people's names are not taken."""
    word = text.casefold()
    if not _CONTACT.fullmatch(word):
        raise _invalid(field_name, text, "write the short name of a contact or a person's id, not a name")
    return word


def _attribute(field_name: str, text: str) -> str:
    check_text(field_name, text, limit=MAX_ATTRIBUTE_TEXT)
    return text


_BY_TYPE: Mapping[str, Callable[[Field, str, bool], Value]] = MappingProxyType(
    {
        "text": lambda field, text, german: _text(field, text),
        "yes_no": lambda field, text, german: parse_yes_no(field.name, text),
        "choice": lambda field, text, german: parse_choice(field, text),
        "date": lambda field, text, german: parse_date(field.name, text),
        "decimal": _decimal,
        "address": lambda field, text, german: parse_address(field.name, text),
        "dns_name": lambda field, text, german: parse_dns_name(field.name, text),
        "mac": lambda field, text, german: parse_mac(field.name, text),
        "uuid": lambda field, text, german: parse_uuid(field.name, text),
        "host_key": lambda field, text, german: parse_host_key(field.name, text),
        "word": lambda field, text, german: _word(field.name, text),
        "contact": lambda field, text, german: _contact(field.name, text),
        "attribute": lambda field, text, german: _attribute(field.name, text),
    }
)


def _from_digits(field_name: str, text: str, *, german: bool) -> float:
    if _PLAIN.fullmatch(text):
        return int(text)
    grouped = _GROUPED.fullmatch(text)
    if grouped and (grouped[1] in "' \u00a0" or grouped[2] or (grouped[1] == "." and german)):
        return int(re.sub(r"\D", "", text))
    if grouped and grouped[1] == "," and not german:
        raise _invalid(field_name, text, "the comma may mean a thousand or a fraction; write 1024 or 1.024")
    if _GERMAN.fullmatch(text) or _COMMA.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    if _ENGLISH.fullmatch(text) or _POINT.fullmatch(text):
        return float(text.replace(",", ""))
    raise _invalid(field_name, text, "it is no number")


def _limited(field_name: str, raw: object, number: float) -> float:
    # Not-a-number fails both comparisons and so is refused here too.
    if not 0 <= number <= MAX_NUMBER:
        raise _invalid(field_name, raw, because("numbers lie between 0 and {a}", a=MAX_NUMBER))
    return float(number)


def _invalid(field_name: str, raw: object, why: str) -> InvalidValue:
    return InvalidValue(field=field_name, value=raw[:80] if isinstance(raw, str) else str(raw)[:80], why=why)
