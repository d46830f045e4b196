"""Claims and receipts as a real shell carries them out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.core.receipts import RECEIPTS_DIRECTORY, claim_script, end_script


def carried_out(script: str, base: Path) -> int:
    """Exit code of the script with another base directory."""
    return subprocess.run(script.replace(RECEIPTS_DIRECTORY, str(base)), shell=True, check=False).returncode


def claim(base: Path, attempt: str, *, epoch: int = 1, settled: tuple[str, ...] = ()) -> int:
    return carried_out(claim_script(asset="pc-1", attempt=attempt, run="r", epoch=epoch, settled=settled), base)


def end(base: Path, attempt: str) -> int:
    return carried_out(end_script(asset="pc-1", attempt=attempt, run="r"), base)


def test_a_claim_leaves_epoch_and_begin_and_the_end_receipt_beside_them(tmp_path: Path) -> None:
    assert (claim(tmp_path, "a1", epoch=7), end(tmp_path, "a1")) == (0, 0)
    place = tmp_path / "pc-1" / "receipts"
    assert {path.name: path.read_text().split() for path in place.iterdir()} == {
        "lock": [],
        "epoch": ["7"],
        "begin": ["a1", "r"],
        "end": ["a1", "r"],
    }


def test_a_lower_epoch_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    assert [claim(tmp_path, "a1", epoch=7), end(tmp_path, "a1"), claim(tmp_path, "a2", epoch=6)] == [0, 0, 75]
    assert (tmp_path / "pc-1/receipts/begin").read_text().startswith("a1\n")


def test_another_attempt_that_began_and_did_not_end_is_refused(tmp_path: Path) -> None:
    assert [claim(tmp_path, "a1"), claim(tmp_path, "a2", epoch=2)] == [0, 76]
    assert (tmp_path / "pc-1/receipts/epoch").read_text() == "1\n"


def test_an_attempt_that_the_books_know_as_ended_makes_room_and_its_pair_is_kept(tmp_path: Path) -> None:
    assert [claim(tmp_path, "a1"), claim(tmp_path, "a2", settled=("a0", "a1"))] == [0, 0]
    assert (tmp_path / "pc-1/receipts/past-a1.begin").exists()


def test_the_same_attempt_never_claims_twice(tmp_path: Path) -> None:
    assert [claim(tmp_path, "a1"), claim(tmp_path, "a1"), end(tmp_path, "a1"), claim(tmp_path, "a1")] == [0, 76, 0, 76]


def test_an_end_without_its_begin_is_refused(tmp_path: Path) -> None:
    assert [claim(tmp_path, "a1"), end(tmp_path, "a2")] == [0, 77]


def test_a_program_at_work_on_the_asset_holds_the_claim_off(tmp_path: Path) -> None:
    place = tmp_path / "pc-1" / "receipts"
    place.mkdir(parents=True)
    script = claim_script(asset="pc-1", attempt="a1", run="r", epoch=1).replace("flock -w 5", "flock -w 0.2")
    with subprocess.Popen(("flock", "--no-fork", place / "lock", "sleep", "600")) as busy:
        while subprocess.run(("flock", "-n", place / "lock", "true"), check=False).returncode == 0:
            pass
        assert carried_out(script, tmp_path) == 76
        busy.kill()


@pytest.mark.parametrize("damage", ["", "7; reboot", "../x", "-1"])
def test_a_damaged_epoch_on_the_target_is_never_run_nor_taken_for_a_number(tmp_path: Path, damage: str) -> None:
    place = tmp_path / "pc-1" / "receipts"
    place.mkdir(parents=True)
    (place / "epoch").write_text(damage)
    assert claim(tmp_path, "a1") == 77


def test_a_full_disk_fails_the_claim_and_leaves_no_begin(tmp_path: Path) -> None:
    script = claim_script(asset="pc-1", attempt="a1", run="r", epoch=1)
    assert carried_out(script.replace("set -eu", "set -eu; ulimit -f 0"), tmp_path) != 0
    assert not (tmp_path / "pc-1/receipts/begin").exists()


@pytest.mark.parametrize("word", ["", "a b", "$(id)", "../x", "-n", "a'b", "ä"])
def test_only_plain_words_get_into_a_script(word: str) -> None:
    with pytest.raises(ValueError, match="plain word"):
        claim_script(asset=word, attempt="a1", run="r", epoch=1)
