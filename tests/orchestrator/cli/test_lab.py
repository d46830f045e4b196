"""The commands of `kahn lab`, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.labs import lab_or_skip


def kahn_lab(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One command of the group, on the lab in a directory."""
    argv = (sys.executable, "-m", "orchestrator.cli.lab", words[0], "--dir", str(directory), *words[1:])
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=400)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("cli") / "lab"
    lab = lab_or_skip(directory)
    done = kahn_lab(directory, "up", "--tenant", "stadt", "--seats", "1", "--files", "6")
    assert done.returncode == 0, done.stderr
    yield directory
    lab.down()


@pytest.mark.lab
def test_seats_bring_old_workstations_with_files_successors_and_a_vault(place: Path) -> None:
    rows = json.loads(kahn_lab(place, "list", "--json").stdout)
    assert [row["name"] for row in rows] == ["jump", "vault", "apc-0001", "neu-0001"]
    assert all(row["running"] for row in rows)
    roots = {row["name"]: Path(row["root"]) for row in rows}
    assert len(list((roots["apc-0001"] / "home").iterdir())) == 3
    assert list((roots["neu-0001"] / "home").iterdir()) == []


@pytest.mark.lab
def test_up_says_how_kahn_gets_to_the_hosts_and_its_inventory_can_be_imported(place: Path) -> None:
    told = kahn_lab(place, "up", "--tenant", "stadt", "--seats", "1").stdout
    assert f"kahn access add lab --user root --key {place}" in told and "--jump-host-key 'ssh-ed25519 " in told
    assert f"kahn lab exec --dir {place} -- kahn" in told
    assert json.loads(kahn_lab(place, "inventory").stdout)["kahn_inventory"] == 1


@pytest.mark.lab
def test_up_again_changes_no_user_file(place: Path) -> None:
    root = Path(json.loads(kahn_lab(place, "list", "--json").stdout)[2]["root"])
    before = sorted((path, path.lstat().st_mtime_ns) for path in (root / "home").rglob("*"))
    assert kahn_lab(place, "up", "--tenant", "stadt", "--seats", "1", "--seed", "9").returncode == 0
    assert sorted((path, path.lstat().st_mtime_ns) for path in (root / "home").rglob("*")) == before


@pytest.mark.lab
def test_the_inventory_pairs_old_and_new(place: Path) -> None:
    rows = {row["name"]: row for row in json.loads(kahn_lab(place, "inventory").stdout)["machines"]}
    assert rows["apc-0001"]["successor"] == "neu-0001"
    assert rows["vault"]["role"] == "vault"
    assert all(row["host_key"].startswith("ssh-ed25519 ") and row["access"] == "lab" for row in rows.values())


@pytest.mark.lab
def test_a_fault_is_done_and_healed_by_name(place: Path) -> None:
    assert kahn_lab(place, "fault", "neu-0001", "power-off").returncode == 0
    assert "off" in kahn_lab(place, "list").stdout.split("neu-0001")[1]
    assert kahn_lab(place, "fault", "neu-0001", "heal").returncode == 0
    assert kahn_lab(place, "fault", "neu-0001", "explode").returncode == 2
    assert kahn_lab(place, "fault", "neu-0009", "cut").returncode == 5


@pytest.mark.parametrize("name", ["../x", "-oProxyCommand=x", "{{ 7*7 }}", "A;reboot"])
def test_a_tenant_name_that_is_no_label_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    done = kahn_lab(tmp_path / "lab", "up", f"--tenant={name}")
    assert done.returncode == 2
    assert "LAB-003" in done.stderr
    assert not (tmp_path / "lab").exists()


def test_without_a_lab_each_command_says_how_to_start_one(tmp_path: Path) -> None:
    assert "kahn lab up" in kahn_lab(tmp_path / "lab", "list").stdout
    for words in (("exec", "--", "true"), ("inventory",)):
        done = kahn_lab(tmp_path / "lab", *words)
        assert done.returncode == 5
        assert "LAB-006" in done.stderr
    assert kahn_lab(tmp_path / "lab", "down").returncode == 0
