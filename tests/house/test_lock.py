"""The lock files pin every package by hash and name no registry."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.house.sources import ROOT, nothing_in

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


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [re.match(r"[A-Za-z0-9-]+", one)[0].lower() for one in project["dependencies"]]  # type: ignore[index]
    nothing_in(set(names) - set(pins("requirements-run.lock")))
