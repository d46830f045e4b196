"""What is wrong with a place in runbook.yml, said to its author: what the schema found, and what would be right."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

_PLAIN: Mapping[str, str] = {
    "missing": "{name} is missing",
    "literal_error": "{name} is {input!r} but must be {expected}",
    "string_type": "{name} must be text (put it in quotation marks)",
    "int_type": "{name} must be a whole number, without a unit",
    "int_parsing": "{name} must be a whole number, without a unit",
    "greater_than": "{name} must be greater than {gt}",
    "greater_than_equal": "{name} must be at least {ge}",
    "less_than_equal": "{name} must be at most {le}",
    "bool_type": "{name} must be true or false",
    "list_type": "{name} must be a list, each entry on a line of its own behind a hyphen",
    "dict_type": "{name} must be lines of the form `key: value`",
    "model_type": "{name} must be lines of the form `key: value`",
    "string_pattern_mismatch": "{name} is {input!r}, but it begins with a-z and goes on with {signs}",
}

_WRITTEN: Mapping[str, str] = {
    "ansible": "ansible: modern",
    "roles": "roles: {source: asset}",
    "baseline": "baseline: {on: source, take: FILE.yml, compare: FILE.yml}",
    "effect": "effect: none, idempotent or once",
}
"""Keys that must be there, as they are written."""


def said(error: Any, *, keys: Collection[str]) -> str:
    """One finding of the schema in words. ``keys``: those that may stand there, for one that is misspelt."""
    last = error["loc"][-1] if error["loc"] else "the document"
    name = f"entry {last + 1}" if isinstance(last, int) else repr(last) if error["loc"] else str(last)
    kind, facts = error["type"], {**error.get("ctx", {}), "input": error.get("input")}
    if kind == "extra_forbidden":
        return f"unknown key {name}{meant(str(last), keys)}"
    if kind == "string_pattern_mismatch":
        facts["signs"] = "a-z, 0-9 and _" if "_]" in str(facts.get("pattern", "")) else "a-z, 0-9 and -"
    if kind == "missing" and last in _WRITTEN:
        return f"{name} is missing; write `{_WRITTEN[last]}`"
    if kind in _PLAIN:
        return _PLAIN[kind].format(name=name, **facts)
    return f"{name}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def meant(word: str, known: Collection[str]) -> str:
    """The known word that is most like it, as the end of a sentence; empty when none is."""
    longer = [one for one in known if one.startswith(f"{word}_")]
    found = longer[:1] or get_close_matches(word, known, n=1, cutoff=0.7)
    return f"; did you mean {found[0]!r}?" if found else ""
