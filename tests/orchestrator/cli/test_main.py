"""The command as a whole: exit codes and where global options may stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.main import global_first


def kahn(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    program = "from orchestrator.cli.main import main; main()"
    environment = {**os.environ, "KAHN_HOME": str(home), "TMPDIR": str(home)}
    return subprocess.run(
        (sys.executable, "-c", program, *words),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "words", [("--no-such-option",), ("asset", "no-such-verb"), ("asset", "show"), ("no-such-noun",)]
)
def test_wrong_usage_is_said_and_ends_with_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = kahn(*words, home=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "no-such" in done.stderr.lower() or "Missing argument" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_expected_error_names_its_code_and_remedy_on_standard_error(tmp_path: Path) -> None:
    done = kahn("--tenant", "stadt", "asset", "list", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "CLI-001" in done.stderr and "kahn init" in done.stderr


def test_the_language_of_an_error_can_be_chosen(tmp_path: Path) -> None:
    done = kahn("--lang", "de", "--tenant", "stadt", "asset", "list", home=tmp_path)
    assert "Legen Sie eines mit `kahn init DIR` an" in done.stderr


def test_help_is_given_and_ends_with_0(tmp_path: Path) -> None:
    done = kahn("--help", home=tmp_path)
    assert done.returncode == 0
    assert "asset" in done.stdout and "wave" in done.stdout


def test_global_options_may_stand_anywhere_but_not_behind_the_double_dash() -> None:
    assert global_first(["asset", "list", "--json", "--tenant", "stadt"]) == [
        "--json",
        "--tenant",
        "stadt",
        "asset",
        "list",
    ]
    assert global_first(["lab", "exec", "--", "ls", "--json"]) == ["lab", "exec", "--", "ls", "--json"]
