"""The command as a whole: exit codes and where global options may stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.cli.main import global_first, main
from orchestrator.texts import use_language
from tests.command_line import called


def kahn(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    program = "from orchestrator.cli.main import main; main()"
    environment = {**os.environ, "KAHN_HOME": str(home), "TMPDIR": str(home)}
    return subprocess.run(
        (sys.executable, "-c", program, *words),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=300,
    )


def test_wrong_usage_ends_the_process_with_2(tmp_path: Path) -> None:
    done = kahn("--no-such-option", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no-such" in done.stderr.lower() and "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("asset", "no-such-verb"), ("asset", "show"), ("no-such-noun",)])
def test_wrong_usage_is_said_and_ends_with_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = called(*words, KAHN_HOME=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert "no-such" in done.stderr.lower() or "Missing argument" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_expected_error_names_its_code_and_remedy_on_standard_error(tmp_path: Path) -> None:
    done = kahn("--tenant", "stadt", "asset", "list", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "CLI-001" in done.stderr and "kahn init" in done.stderr


def test_the_language_of_an_error_can_be_chosen(tmp_path: Path) -> None:
    done = called("--lang", "de", "--tenant", "stadt", "asset", "list", KAHN_HOME=str(tmp_path))
    assert "Legen Sie eines mit `kahn init DIR` an" in done.stderr


def test_help_is_given_and_ends_with_0(tmp_path: Path) -> None:
    done = called("--help", KAHN_HOME=str(tmp_path))
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


@pytest.mark.parametrize(
    ("words", "front"),
    [
        ("--tenant lab wave show W01 --json", "--json"),
        ("--home lab wave list -y", "-y"),
        ("wave list --tenant=kreis", "--tenant=kreis"),
        ("wave withdraw W01 --reason=--json --lang de", "--lang"),
        ("wave list --lang --json", "--lang"),
    ],
)
def test_a_global_option_is_found_wherever_it_stands(words: str, front: str) -> None:
    found = global_first(words.split())
    assert front in found[: found.index("wave")]
    assert sorted(found) == sorted(words.split())


def test_what_only_looks_like_a_global_option_stays_where_it_is() -> None:
    assert global_first(["wave", "list", "--tenant"]) == ["wave", "list", "--tenant"]
    assert global_first(["wave", "refuse", "W01", "--reason=--json"])[-1] == "--reason=--json"
    assert global_first(["--tenant", "stadt", "lab", "exec", "h", "--json"])[-1] == "--json"
    assert global_first([]) == [] and global_first(["--"]) == ["--"]


def ended(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of one call in this process."""
    monkeypatch.setattr("sys.argv", ["kahn", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A made state directory, named by the environment."""
    monkeypatch.setenv("KAHN_HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("KAHN_TENANT", raising=False)
    assert ended(monkeypatch, "init", "--json") == 0
    yield tmp_path
    use_language("en")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("wave", "list"), (2, "CLI-003")),
        (("wave", "show", "W01", "--tenant", "nobody"), (5, "STO-011")),
        (("--home", "/nonexistent", "status"), (2, "CLI-001")),
        (("wave", "no-such-verb"), (2, "usage")),
        (("wave", "list", "--tenant"), (2, "usage")),
    ],
)
def test_an_error_is_one_json_document_too_when_asked_for(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: tuple[int, str],
) -> None:
    assert home.exists()
    capsys.readouterr()
    exit_code = ended(monkeypatch, "--json", *words)
    answer = capsys.readouterr()
    assert (exit_code, json.loads(answer.out)["error"]["code"]) == told
    assert "Traceback" not in answer.err and answer.err


def test_json_behind_the_double_dash_is_a_word_like_any_other(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    ended(monkeypatch, "--tenant", "stadt", "wave", "rollback", "W01", "--", "--json")
    assert capsys.readouterr().out == ""
    assert home.exists()


def test_a_hostile_word_is_given_back_harmlessly(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended(monkeypatch, "tenant", "add", "stadt")
    capsys.readouterr()
    assert ended(monkeypatch, "--tenant", "stadt", "wave", "show", "\x1b[2J[red]{0}:bug:") == 5
    error = capsys.readouterr().err
    assert "\x1b" not in error and "[red]{0}:bug:" in error
    assert home.exists()


def test_a_mistake_of_ours_is_kept_in_a_file_and_ends_with_70(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def mistaken(*_args: object, **_options: object) -> int:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("tempfile.tempdir", str(home))
    monkeypatch.setattr("orchestrator.cli.main.app", mistaken)
    capsys.readouterr()
    assert ended(monkeypatch, "status", "--json") == 70
    answer = capsys.readouterr()
    assert json.loads(answer.out)["error"]["code"] == "bug"
    assert "Traceback" not in answer.err
    (report,) = home.glob("kahn-bug-*")
    assert "ZeroDivisionError: a mistake" in report.read_text()
