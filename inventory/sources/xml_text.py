"""XML text read so that nothing in it can harm: no entities, no declared types, no foreign parts, bounded depth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

from inventory.observation import Place
from inventory.sources.limits import BrokenFile, FileUnreadable

MAX_DEPTH = 40
MAX_ELEMENTS = 2_000_000
_BARE_DOCTYPE = re.compile(r"<!DOCTYPE\s+[A-Za-z_][\w.-]*\s*>")
"""A scanner writes ``<!DOCTYPE nmaprun>``: it declares nothing, so it is dropped, not refused."""
_ENCODING = re.compile(r"""(<\?xml[^>]*?)\s+encoding\s*=\s*["'][^"']*["']""")
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_PROLOGUE = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL)


def root_name(text: str) -> str:
    """The name of the outermost element, from the start of the text; empty when it is no XML."""
    start = text.lstrip("\ufeff \t\r\n")
    if not start.startswith("<"):
        return ""
    found = _ROOT.match(_PROLOGUE.sub("", start).lstrip())
    return found[1] if found else ""


def xml_document(path: Path, text: str) -> Element:
    """The outermost element. The text is decoded already, so what it says of its encoding is not heeded.

    Raises FileUnreadable for what could harm, BrokenFile for what is no XML.
    """
    text = _ENCODING.sub(r"\1", text.lstrip("\ufeff"), count=1)
    head = text[:4096]
    text = _BARE_DOCTYPE.sub("", head, count=1) + text[4096:]
    try:
        root: Element = SafeTree.fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as cause:
        raise FileUnreadable(file=path, why="it declares entities or types of its own, as attacks do") from cause
    except ParseError as cause:
        raise BrokenFile(place=Place(file=str(path), row=cause.position[0]), why="it is no valid XML there") from cause
    except (ValueError, RecursionError) as cause:
        raise BrokenFile(place=Place(file=str(path)), why="it is no valid XML") from cause
    _check_size(path, root)
    return root


def _check_size(path: Path, root: Element) -> None:
    count = 0
    for depth, level in enumerate(_levels(root)):
        count += len(level)
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise BrokenFile(place=Place(file=str(path)), why="it is nested too deeply or has too many elements")


def _levels(root: Element) -> Iterator[list[Element]]:
    level = [root]
    while level:
        yield level
        level = [child for one in level for child in one]
