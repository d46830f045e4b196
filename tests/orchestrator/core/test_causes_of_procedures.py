"""Every cause that a module of ours can fail with has words: found in the modules' own text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.causes import CAUSES, RULES_OWN
from orchestrator.core.causes_of_procedures import OF_PROCEDURES

CODE = re.compile(r"[a-z]+(_[a-z]+)+")
ROLES = ("source", "target", "gateway", "partner", "vault")
"""Names of sessions: ``NAME_failed`` and ``NAME_unreachable`` are said of each."""
MODULES = sorted((*(SHIPPED / "library").glob("*.py"), *(SHIPPED / "module_utils").glob("*.py")))


def codes_of(path: Path) -> set[str]:
    """What Trouble is raised with, what is put into a variable or argument called cause, and causes of the system."""
    tree = ast.parse(path.read_text())
    takers = {one.name: place for one in ast.walk(tree) if (place := _place_of_cause(one)) is not None}  # type: ignore[attr-defined]
    found: set[str] = set()
    for node in ast.walk(tree):
        for given in _given(node, takers):
            found |= set(_expanded(given))
    return found


def _place_of_cause(node: ast.AST) -> int | None:
    if not isinstance(node, ast.FunctionDef):
        return None
    names = [one.arg for one in node.args.args if one.arg != "self"]
    return names.index("cause") if "cause" in names and node.name != "__init__" else None


def _given(node: ast.AST, takers: dict[str, int]) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        place = 0 if name == "Trouble" else takers.get(name, 99)
        yield from node.args[place : place + 1]
    if isinstance(node, ast.Assign) and any(getattr(one, "id", "") == "cause" for one in node.targets):
        yield node.value
    if isinstance(node, ast.Assign) and any(getattr(one, "id", "") == "_CAUSES" for one in node.targets):
        assert isinstance(node.value, ast.Dict)
        yield from node.value.values


def _expanded(given: ast.expr) -> Iterator[str]:
    texts = [one.value for one in ast.walk(given) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    for text in texts:
        if text in ("_failed", "_unreachable"):
            yield from (role + text for role in ROLES)
        elif CODE.fullmatch(text):
            yield text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_code_that_a_module_can_fail_with_has_words(path: Path) -> None:
    assert sorted(codes_of(path) - CAUSES.keys()) == []


def test_the_codes_are_really_found() -> None:
    found = set().union(*map(codes_of, MODULES))
    assert {"two_writers", "service_not_started", "gateway_unreachable", "disk_error", "database_in_use"} <= found
    assert len(found) > 70


def test_words_of_procedures_are_of_codes_that_a_module_has_and_none_is_the_rules_own() -> None:
    codes = [one.code for one in OF_PROCEDURES]
    assert len(codes) == len(set(codes)) and not RULES_OWN & set(codes)
    assert set(codes) <= set().union(*map(codes_of, MODULES))
    assert all(CAUSES[one.code] is one for one in OF_PROCEDURES)
