"""The project's own files and their syntax trees, as the house rules look at them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("inventory", "orchestrator", "playbooks")
WRITTEN = (*ROOMS, "tests", ".ci", "bench")
_NOT_OURS = {".git", ".venv", "build", "dist", ".state", ".hypothesis", "__pycache__"}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is tracked or could be, relative to the root; works without git as well."""
    listed = subprocess.run(
        ("git", "ls-files", "--cached", "--others", "--exclude-standard"),
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = listed.stdout.splitlines() if listed.returncode == 0 else [str(path) for path in _walked()]
    return tuple(sorted(Path(name) for name in names if (ROOT / name).is_file()))


def _walked() -> Iterator[Path]:
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT)
        if not _NOT_OURS.intersection(inside.parts) and not inside.parts[0].endswith("_cache"):
            yield inside


def python_files(*tops: str) -> tuple[Path, ...]:
    """Python files below the named top directories, relative to the root."""
    return tuple(path for path in project_files() if path.suffix == ".py" and path.parts[0] in tops)


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def functions_of(path: Path) -> Iterator[ast.FunctionDef]:
    """Every function and method of the file. The house is synchronous, so there is no other sort."""
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef))


def imported_by(path: Path) -> frozenset[str]:
    """Full names of the modules that the file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return frozenset(found)


def nothing_in(violations: Iterable[object]) -> None:
    """Fails with one line for each violation of a rule. Raises AssertionError."""
    lines = sorted(str(one) for one in violations)
    if lines:
        raise AssertionError(f"{len(lines)} violations:\n  " + "\n  ".join(lines))
