"""The lock files pin every package by hash and name no registry."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.sources import ROOT, imported_by, nothing_in, python_files

LOCKS = ("requirements.lock", "requirements-run.lock")
_PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(_PINNED.findall((ROOT / lock).read_text()))


def words_of_lock(lock: str) -> list[str]:
    return [line for line in (ROOT / lock).read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_no_option(lock: str) -> None:
    nothing_in(line for line in words_of_lock(lock) if "://" in line or line.startswith("-"))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_hashes(lock: str) -> None:
    entries = "\n".join(words_of_lock(lock)).replace("\\\n", " ").splitlines()
    nothing_in(
        entry[:60] for entry in entries if not re.match(r"[a-z0-9._-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)
    )


def test_what_runs_is_what_was_tested() -> None:
    assert pins("requirements-run.lock").items() <= pins("requirements.lock").items()


def declared(extra: str = "") -> set[str]:
    """Names of the packages that Kahn needs to run, or of those of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {found[0].lower() for one in told if (found := re.match(r"[A-Za-z0-9-]+", one))}


OF_THE_DOUBLE = Path("orchestrator/lab/psrp_double.py")
"""The one file that needs an extra: only who tries a runbook for Windows loads it, and is told what lacks."""


def test_every_package_that_the_sources_import_is_declared() -> None:
    """An installation has no others: what a tool for testing brings along is not there."""
    ours = {"inventory", "orchestrator", "__future__"}
    files = set(python_files("inventory", "orchestrator")) - {OF_THE_DOUBLE}
    imported = {name.split(".")[0] for path in files for name in imported_by(path)}
    brought_by = packages_distributions()
    nothing_in(
        f"{name} (of {' or '.join(brought_by.get(name, ['nothing']))})"
        for name in imported - ours - set(sys.stdlib_module_names)
        if not declared().intersection(one.lower() for one in brought_by.get(name, []))
    )


def test_the_double_needs_what_its_extra_declares_and_nobody_loads_it_at_the_top_of_a_file() -> None:
    foreign = {name.split(".")[0] for name in imported_by(OF_THE_DOUBLE)} - set(sys.stdlib_module_names)
    assert foreign == {"inventory", "psrpcore", "spnego"} and declared("double") <= set(pins("requirements.lock"))
    loading = [
        path for path in python_files("orchestrator") if f"orchestrator.lab.{OF_THE_DOUBLE.stem}" in imported_by(path)
    ]
    assert loading == [Path("orchestrator/lab/double_ground.py")]


def test_every_declared_dependency_is_locked() -> None:
    nothing_in(declared() - set(pins("requirements-run.lock")))
