"""Which names assets may have. Machines are named strictly, everything else only kept harmless.

A machine's name travels furthest: into file names, shell prompts, log lines, spreadsheets, certificates and, where no
address is known, into the name resolver. So it is made of Latin letters (umlauts and Sorbian letters included), digits,
blanks and ``. _ - ( ) # +`` and starts with a letter, a digit or ``_``: no character in it means anything to a shell, a
path, an Ansible host pattern (``: , & ! * ~ [ ]``), a template (``{ }``), markup (``< >``) or a spreadsheet formula.
Latin only, because a Cyrillic or Greek letter looks like another name's Latin one.

Sites, departments, seats and procedures are named as people do ("Jugend, Schule, Sport", "DMS/Ratsinfo"); they may not
hold template marks, ``|`` (it separates lists) or a mixture of alphabets, nor begin like an option or a formula.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from inventory.addressing import parse_address
from inventory.errors import because
from inventory.model import MACHINES, AssetKind, InvalidValue, check_name

_MACHINE_SIGNS = frozenset(" ._-()#+")
_OTHER_ALPHABETS = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU")
_NUMBERS_AND_DOTS = re.compile(r"[0-9.]*\.[0-9.]*")
_RESERVED = frozenset({"all", "ungrouped", "localhost"})
_TEMPLATE_MARKS = ("{{", "{%", "{#", "}}", "%}", "#}")


@lru_cache(maxsize=20_000)  # a site or procedure is named by thousands of machines
def parse_name(kind: AssetKind, text: str) -> str:
    """The name in composed form (NFC), without blanks around it. Raises InvalidValue."""
    name = unicodedata.normalize("NFC", text.replace("\u00a0", " ")).strip()
    check_name(name)
    if kind in MACHINES:
        _check_machine_name(name)
    else:
        _check_other_name(name)
    return name


def _check_machine_name(name: str) -> None:
    for char in name:
        if not (char in _MACHINE_SIGNS or (char.isdecimal() and char.isascii()) or _is_latin_letter(char)):
            raise _invalid(name, because("a machine's name cannot hold {a!r}", a=char))
    if not (name[0].isalnum() or name[0] == "_"):
        raise _invalid(name, "a machine's name starts with a letter, a digit or _")
    if name.casefold() in _RESERVED or name.casefold().startswith("localhost."):
        raise _invalid(name, "this word means something else than one machine")
    if _NUMBERS_AND_DOTS.fullmatch(name):
        parse_address("name", name)


def _check_other_name(name: str) -> None:
    if name[0] in "-=+@|'\"`!*.":
        raise _invalid(name, "a name starts with a letter, a digit or a bracket")
    if any(mark in name for mark in _TEMPLATE_MARKS) or any(char in "|<>\\\n\t" for char in name):
        raise _invalid(name, "it holds a template mark or one of | < > \\")
    if any(unicodedata.category(char) == "Cf" for char in name):
        raise _invalid(name, "it holds a character that cannot be seen")
    if not name.isascii() and _is_mixed(name):
        raise _invalid(name, "it mixes alphabets, so it looks like another name")


def _is_latin_letter(char: str) -> bool:
    return char.isalpha() and (char.isascii() or unicodedata.name(char, "").startswith("LATIN"))


def _is_mixed(name: str) -> bool:
    alphabets = {unicodedata.name(char, "").split(" ")[0] for char in name if char.isalpha()}
    return "LATIN" in alphabets and any(other in alphabets for other in _OTHER_ALPHABETS)


def _invalid(name: str, why: str) -> InvalidValue:
    return InvalidValue(field="name", value=name[:80], why=why)
