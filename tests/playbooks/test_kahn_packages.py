"""Packages: what is missing, what is not to be had, and who holds the lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared

packages = shared("kahn_packages")
HOLDER = (
    "import fcntl,sys; f=open(sys.argv[1],'r+b'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()"
)


def dpkg(argv: list[str]) -> str:
    """What the programs of a host with three packages say."""
    if argv[0] == "dpkg-query":
        return (
            "cron\t3.0\tinstalled\nnginx\t1.18\tinstalled\nlinux-image-amd64\t5.10\tinstalled\ngone\t1\tconfig-files\n"
        )
    if argv[0] == "apt-mark":
        return "cron\nnginx:amd64\nlinux-image-amd64\ngone\n"
    return "redis:\n  Installed: (none)\n  Candidate: 7.0\nold-tool:\n  Installed: (none)\n  Candidate: (none)\n"


def test_only_what_people_asked_for_goes_along() -> None:
    assert packages.installed(dpkg) == {"cron": "3.0", "nginx": "1.18", "linux-image-amd64": "5.10"}
    assert packages.asked_for(dpkg) == {"cron": "3.0", "nginx": "1.18"}


def test_what_is_not_to_be_had_and_what_has_another_version_is_named() -> None:
    wanted = {"cron": "3.0", "nginx": "1.14", "redis": "6.0", "old-tool": "1", "never-heard": "2"}
    assert packages.compared(wanted, dpkg) == {
        "install": ["redis"],
        "not_to_be_had": ["never-heard", "old-tool"],
        "other_version": {"nginx": ["1.14", "1.18"], "redis": ["6.0", "7.0"]},
    }
    assert packages.compared({"cron": "3.0"}, dpkg)["install"] == []


def test_a_name_that_looks_like_an_option_of_apt_is_only_a_name_that_nobody_has() -> None:
    asked: list[list[str]] = []

    def told(argv: list[str]) -> str:
        asked.append(argv)
        return ""

    assert packages.to_be_had(["-oDir::Bin::dpkg=/srv/evil", "cron"], told) == {}
    assert asked == [["apt-cache", "policy", "--", "-oDir::Bin::dpkg=/srv/evil", "cron"]]


def test_a_package_lock_that_somebody_holds_is_the_cause(tmp_path: Path) -> None:
    packages.refuse_locked(str(tmp_path))
    lock = tmp_path / "var/lib/dpkg/lock-frontend"
    lock.parent.mkdir(parents=True)
    lock.touch()
    packages.refuse_locked(str(tmp_path))
    held = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert held.stdout is not None and held.stdout.readline()
    assert cause(packages.refuse_locked, str(tmp_path)) == "package_lock"
    held.communicate()
    packages.refuse_locked(str(tmp_path))


def test_a_hosts_own_word_on_starts_comes_back(tmp_path: Path) -> None:
    policy = tmp_path / "usr/sbin/policy-rc.d"
    policy.parent.mkdir(parents=True)
    with packages._no_starts(str(tmp_path)):
        assert "exit 101" in policy.read_text()
    assert not policy.exists()
    policy.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(RuntimeError), packages._no_starts(str(tmp_path)):
        raise RuntimeError
    assert policy.read_text() == "#!/bin/sh\nexit 0\n" and len(list(policy.parent.iterdir())) == 1


def test_a_host_without_dpkg_is_told_so() -> None:
    assert cause(packages.said, ["no-such-program-here"]) == "no_packages"
    assert cause(packages.said, ["false"]) == "packages_failed"
