"""Allow-lists of imports, where import contracts can only forbid: what stands alone really does."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.house.sources import imported_by, nothing_in, python_files

STANDARD_LIBRARY = frozenset(sys.stdlib_module_names)


def foreign_imports(path: Path, allowed: set[str]) -> list[str]:
    """Imports of the file beyond the standard library and the allowed names."""
    return [
        f"{path} imports {name}"
        for name in sorted(imported_by(path))
        if name.split(".")[0] not in STANDARD_LIBRARY | allowed
        and not any(name == one or name.startswith(one + ".") for one in allowed)
    ]


def test_the_supervisor_needs_only_the_standard_library_and_ansible_runner() -> None:
    files = [path for path in python_files("orchestrator") if path.parts[1] == "supervisor"]
    nothing_in(bad for path in files for bad in foreign_imports(path, {"ansible_runner", "orchestrator.supervisor"}))


def test_ansible_plugins_and_modules_need_only_the_standard_library_and_ansible() -> None:
    siblings = {path.stem for path in python_files("playbooks") if path.parts[1] == "module_utils"}
    nothing_in(bad for path in python_files("playbooks") for bad in foreign_imports(path, {"ansible"} | siblings))


def test_nobody_else_imports_ansible() -> None:
    users = {
        str(path)
        for path in python_files("inventory", "orchestrator")
        for name in imported_by(path)
        if name.split(".")[0] == "ansible" or (name.split(".")[0] == "ansible_runner" and path.parts[1] != "supervisor")
    }
    nothing_in(users)


def test_the_verifier_of_evidence_needs_only_the_standard_library() -> None:
    files = [path for path in python_files("orchestrator") if path.name == "verify_chain.py"]
    nothing_in(bad for path in files for bad in foreign_imports(path, set()))


WIRING = ("wiring.py", "wiring_boot.py", "wiring_trial.py", "adapters")
"""Kahn with its store, the boot server that knows none, and adapters among themselves."""


def test_only_wiring_names_adapters() -> None:
    nothing_in(
        f"{path} imports {name}"
        for path in python_files("orchestrator")
        for name in imported_by(path)
        if name.startswith("orchestrator.adapters") and path.parts[1] not in WIRING
    )
