"""`make test-long`: parts that cannot hurt each other, bounds in time, and a table that tells the truth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import long_proofs
from long_proofs import Outcome, Part
from tests.house.sources import ROOT
from tests.waiting import until

MARK = "@pytest.mark." + "long"


def outcome(code: int | None) -> Outcome:
    return Outcome(part=Part(path=Path("test_one.py"), database=False), code=code, took_s=61, said="as told")


def test_each_file_with_a_long_proof_is_one_part_and_words_choose_among_them(tmp_path: Path) -> None:
    for name in ("test_samba.py", "test_names.py"):
        (tmp_path / name).write_text(MARK)
    (tmp_path / "test_short.py").write_text("def test_it() -> None: ...")
    assert [part.path.name for part in long_proofs.parts(tmp_path)] == ["test_names.py", "test_samba.py"]
    assert [part.path.name for part in long_proofs.parts(tmp_path, ["amb", "windows"])] == ["test_samba.py"]


def test_parts_with_a_database_server_go_one_after_the_other() -> None:
    servers = {part.path.name for part in long_proofs.parts(ROOT / "tests") if part.database}
    assert {"test_acts_under_fire.py", "test_kahn_postgres.py", "test_kahn_mariadb_swap.py"} <= servers


def test_files_that_begin_first_exist_and_have_long_proofs() -> None:
    names = {part.path.name for part in long_proofs.parts(ROOT / "tests")}
    assert set(long_proofs.LONGEST_FIRST) <= names
    assert Path(__file__).name not in names


def test_a_word_that_no_file_knows_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert long_proofs.main(["nonesuch"]) == 2
    assert "test_acts_under_fire.py" in capsys.readouterr().out


def test_only_a_part_in_which_tests_ran_and_passed_is_green() -> None:
    words = [outcome(code).word for code in (0, 1, 2, 5, None)]
    assert words == ["ok", "FAILED (1)", "FAILED (2)", "FAILED (5)", "FAILED (ended)"]
    assert [line.split()[3:] for line in long_proofs.table([outcome(1), outcome(0)]).splitlines()] == [
        ["ok", "as", "told"],
        ["FAILED", "(1)", "as", "told"],
    ]


def test_a_part_runs_its_long_proofs_and_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = long: takes long\n")
    proof = tmp_path / "test_one.py"
    proof.write_text(f"import pytest\n{MARK}\ndef test_it(): ...\ndef test_short(): raise ValueError\n")
    ran = long_proofs.run(long_proofs.parts(tmp_path)[0], tmp_path)
    assert (ran.code, ran.said.partition(" in ")[0]) == (0, "1 passed, 1 deselected")
    assert "test_one.py::test_it PASSED" in capsys.readouterr().out


def test_parts_whose_names_begin_alike_leave_each_others_files_alone(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = long: takes long\n")
    for name in ("move_procedure_names", "move_procedure_partners"):
        proof = f"import pytest\n{MARK}\ndef test_it(tmp_path): (tmp_path / 'mine').touch()\n"
        (tmp_path / f"test_{name}.py").write_text(proof)
    work = tmp_path / "work"
    work.mkdir()
    assert [long_proofs.run(part, work).code for part in long_proofs.parts(tmp_path)] == [0, 0]
    assert len([one for one in work.rglob("mine") if not one.parent.is_symlink()]) == 2


def test_a_part_that_never_ends_is_ended(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as out:
        assert long_proofs._to_its_end(["sleep", "600"], out.fileno(), within_s=0.1) is None


def test_a_part_is_interrupted_first_so_that_it_can_put_its_hosts_away(tmp_path: Path) -> None:
    began, away = tmp_path / "began", tmp_path / "away"
    program = f"trap 'touch {away}; exit' INT; touch {began}; while :; do sleep 0.1; done"
    running = subprocess.Popen(["sh", "-c", program], process_group=0)
    until(began.exists)
    long_proofs._end(running)
    assert away.exists()


def test_a_test_that_takes_longer_than_its_bound_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text(
        "import time\ndef test_slow() -> None:\n    time.sleep(600)\ndef test_next() -> None: ...\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", str(tmp_path)]
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "KAHN_TEST_LIMIT_S": "0.5"}
    ended = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed" in ended.stdout and "TooLong: it was broken off after 0.5 s" in ended.stdout
