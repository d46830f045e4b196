"""Names come from the field, not from the habit of programmers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import ROOMS, nothing_in, python_files, tree_of

NOWHERE_IN_A_NAME = {"manager", "managers", "helper", "helpers", "util", "utils"}
NOT_AS_A_WHOLE_NAME = {"data", "info", "item", "items", "handle", "process", "misc", "common", "stuff"}
NOT_AS_A_VERB = {"handle", "process", "manage"}
NAMED_BY_OTHERS = {  # methods that SQLAlchemy, PyYAML and socketserver call by these names, with these parameters
    "process_bind_param",
    "process_result_value",
    "process_literal_param",
    "ignore_aliases",
    "process_request",
    "process_request_thread",
    "handle_error",
}


def words_of(name: str) -> list[str]:
    """_RunManager -> run, manager"""
    return [word for word in re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_") if word]


def is_banned(name: str) -> bool:
    """Whether the name says nothing about the field."""
    words = words_of(name)
    if not words:
        return False
    alone = len(words) == 1 and words[0] in NOT_AS_A_WHOLE_NAME
    return alone or bool(NOWHERE_IN_A_NAME.intersection(words)) or words[0] in NOT_AS_A_VERB


def given_names(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.FunctionDef) and node.name not in NAMED_BY_OTHERS:
            yield node.name
            yield from (given.arg for given in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))


def test_modules_classes_functions_and_parameters_have_names_of_the_field() -> None:
    banned = {f"{path}: {name}" for path in python_files(*ROOMS) for name in given_names(path) if is_banned(name)}
    nothing_in(banned)


def test_the_rule_itself_knows_a_bad_name_from_a_good_one() -> None:
    nothing_in(name for name in ("RunManager", "handle_event", "utils", "data") if not is_banned(name))
    nothing_in(name for name in ("handled", "processes_of_run", "metadata", "next_commands") if is_banned(name))
