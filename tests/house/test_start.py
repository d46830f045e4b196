"""What every command loads before it does anything: nothing heavy that only a few of them need."""

from __future__ import annotations

import subprocess
import sys

from tests.house.sources import ROOT, nothing_in

HEAVY = (
    "alembic",
    "ansible_runner",
    "apscheduler",
    "cryptography",
    "holidays",
    "icalendar",
    "jinja2",
    "numpy",
    "openpyxl",
    "ortools",
    "paramiko",
    "pygments",
    "pynetbox",
    "requests",
    "smtplib",
    "urllib3",
)


def test_no_command_loads_at_its_start_what_only_a_few_commands_need() -> None:
    told = subprocess.run(
        (sys.executable, "-c", "import sys, orchestrator.cli.main; print(*sys.modules)"),
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    loaded = set(told.stdout.split())
    assert "orchestrator.cli.main" in loaded
    nothing_in(loaded.intersection(HEAVY))
