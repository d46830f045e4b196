"""Made-up user files: the same for the same seed, difficult on purpose, owned by real accounts."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab
from orchestrator.lab.seed import seed_user_files

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def old(lab: Lab) -> Host:
    host = lab.up(tenant="akten", specs=(HostSpec(name="apc-0001"),))[1]
    seed_user_files(host, seed=5, files=30, users=2)
    return host


def tree(root: Path) -> dict[str, tuple[object, ...]]:
    """Each path below /home with mode, owner, time and content or target."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted((root / "home").rglob("*")):
        state = path.lstat()
        body = os.readlink(path) if path.is_symlink() else _digest(path)
        found[str(path.relative_to(root))] = (state.st_mode, state.st_uid, state.st_gid, int(state.st_mtime), body)
    return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def test_the_same_seed_gives_the_same_tree(lab: Lab, old: Host) -> None:
    twin = lab.up(tenant="akten2", specs=(HostSpec(name="apc-0001"),))[1]
    seed_user_files(twin, seed=5, files=30, users=2)
    assert tree(twin.root) == tree(old.root)
    seed_user_files(lab.host("jump", tenant="akten2"), seed=5, files=3)
    assert (lab.host("jump", tenant="akten2").root / "home").is_dir()


def test_the_accounts_exist_and_own_their_homes(old: Host) -> None:
    for line in old.run("getent", "passwd", "1001", "1002").splitlines():
        name, _, uid, gid, _, home, _ = line.split(":")
        assert old.run("stat", "-c", "%u %g", home).split() == [uid, gid]
        assert old.run("id", "-un", uid).strip() == name
        assert f"{name}:" in (old.root / "etc/shadow").read_text()
    assert stat.S_IMODE((old.root / "etc/shadow").stat().st_mode) == 0o640
    assert "root:" in (old.root / "etc/passwd").read_text()


def test_names_modes_links_and_marks_are_not_easy(old: Host) -> None:
    paths = {name: facts for name, facts in tree(old.root).items()}
    assert any("ü" in name or "ß" in name for name in paths)
    assert any("u\u0308" in name or "a\u0308" in name or "o\u0308" in name for name in paths)
    assert any(" " in name for name in paths)
    modes = {stat.S_IMODE(int(str(facts[0]))) for facts in paths.values()}
    assert {0o600, 0o444, 0o2770} <= modes
    links = [old.root / name for name, facts in paths.items() if stat.S_ISLNK(int(str(facts[0])))]
    assert len(links) == 6
    marked = [name for name in paths if not (old.root / name).is_symlink() and os.listxattr(old.root / name)]
    assert len(marked) == 2 or not _disk_takes_marks(old)


def _disk_takes_marks(host: Host) -> bool:
    probe = host.root / "root/probe"
    probe.touch()
    try:
        os.setxattr(probe, "user.kahn", b"x")
    except OSError:
        return False
    return True


def test_a_host_that_is_off_can_be_filled_too(lab: Lab) -> None:
    host = lab.up(tenant="akten3", specs=(HostSpec(name="apc-0009"),))[1]
    lab.fault(host, "power-off")
    user = seed_user_files(host, seed=1, files=4, users=1)[0]
    lab.fault(host, "power-on")
    assert host.run("id", "-u", user.name) == f"{user.uid}\n"
    assert host.run("id", "-u", "root") == "0\n"
