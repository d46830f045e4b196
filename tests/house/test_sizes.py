"""Rooms stay liveable: sizes of files and functions, and no asynchronous twins."""

from __future__ import annotations

import ast

from tests.house.sources import ROOT, WRITTEN, functions_of, nothing_in, python_files, tree_of

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
GENERATED = "migrations"  # Alembic's scripts list every column


def test_a_file_is_one_idea_of_at_most_400_lines() -> None:
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in python_files(*WRITTEN)}
    nothing_in(f"{path}: {lines} lines" for path, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE)


def test_a_function_has_at_most_60_lines() -> None:
    nothing_in(
        f"{path}:{function.lineno} {function.name}: {lines} lines"
        for path in python_files(*WRITTEN)
        if GENERATED not in path.parts
        for function in functions_of(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    )


def test_no_module_or_class_offers_an_asynchronous_function() -> None:
    nothing_in(
        f"{path}:{node.lineno} {node.name}"
        for path in python_files(*WRITTEN)
        for holder in ast.walk(tree_of(path))
        if isinstance(holder, ast.Module | ast.ClassDef)
        for node in holder.body
        if isinstance(node, ast.AsyncFunctionDef)
    )
