"""The base is built once, whole or not at all. A stand-in for mmdebstrap keeps these tests quick and offline."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.lab.base import base_path, machine_sources, machine_suite, sources_of
from tests.labs import lab_or_skip
from tests.waiting import PATIENCE_S, until

STAND_IN = """#!/bin/sh
while [ $# -gt 0 ]; do case "$1" in *.part) target="$1" ;; esac; shift; done
mkdir -p "$target/etc/ssh" "$target/etc/systemd/system"
echo key > "$target/etc/ssh/ssh_host_ed25519_key"
echo "$$ run" >> "$(dirname "$target")/runs"
echo "I: slowly" >&2
sleep "${STAND_IN_S:-0.5}"
test ! -e "$(dirname "$target")/broken" || { echo "E: no network" >&2; exit 1; }
touch "$target/whole"
"""
BUILD = "import sys; from pathlib import Path; from orchestrator.lab.base import ensure_base; "
BUILD += "print(ensure_base(Path(sys.argv[1]), lambda notice: print(notice, flush=True)))"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    lab_or_skip(tmp_path / "unused")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mmdebstrap").write_text(STAND_IN)
    (tmp_path / "bin/mmdebstrap").chmod(0o755)
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def _builder(cache: Path, *, seconds: float = 0.5) -> subprocess.Popen[str]:
    path = f"{cache.parent / 'bin'}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "STAND_IN_S": str(seconds)}
    words = (sys.executable, "-c", BUILD, str(cache))
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)


def _runs(cache: Path) -> int:
    return len((cache / "runs").read_text().splitlines()) if (cache / "runs").exists() else 0


def _wait_for_run(cache: Path) -> None:
    until(lambda: _runs(cache))


def _half_bases(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if ".part" in path.name]


@pytest.mark.lab
def test_two_labs_starting_together_build_one_base(cache: Path) -> None:
    builders = [_builder(cache), _builder(cache)]
    outputs = [builder.communicate(timeout=PATIENCE_S)[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0], outputs
    assert _runs(cache) == 1
    target = base_path(cache, machine_suite())
    assert (target / "whole").exists()
    assert not (target / "etc/ssh/ssh_host_ed25519_key").exists()
    assert any("about 60 MB to download" in output for output in outputs)


@pytest.mark.lab
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_build_leaves_no_half_base_to_the_next(cache: Path, number: signal.Signals) -> None:
    first = _builder(cache, seconds=600)
    _wait_for_run(cache)
    first.send_signal(number)
    first.communicate(timeout=PATIENCE_S)
    assert not base_path(cache, machine_suite()).exists()
    if number == signal.SIGINT:
        assert _half_bases(cache) == []
    second = _builder(cache, seconds=0)
    assert second.communicate(timeout=PATIENCE_S)[0].rstrip().endswith(str(base_path(cache, machine_suite())))
    assert _half_bases(cache) == []


@pytest.mark.lab
def test_a_failed_build_says_why_and_leaves_nothing(cache: Path) -> None:
    (cache / "broken").touch()
    builder = _builder(cache, seconds=0)
    output = builder.communicate(timeout=PATIENCE_S)[0]
    assert "LAB-012" in output
    assert "E: no network" in output
    assert _half_bases(cache) == []


def test_only_the_systems_own_package_sources_are_used(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text("Types: deb\n")
    (tmp_path / "sources.list.d/vendor.list").write_text("deb https://vendor.example x main\n")
    (tmp_path / "sources.list").write_text("# moved\n")
    assert machine_sources(tmp_path) == (tmp_path / "sources.list.d/debian.sources",)
    (tmp_path / "sources.list").write_text("deb http://mirror.example/debian bookworm main\n")
    assert tmp_path / "sources.list" in machine_sources(tmp_path)


def test_another_release_comes_from_the_same_mirrors_and_has_a_base_of_its_own(tmp_path: Path) -> None:
    own, place = machine_suite(), tmp_path / "sources"
    assert sources_of(own, place) == machine_sources() and not place.exists()
    for _again in range(2):
        copies = sources_of("sid", place)
        assert [path.name for path in copies] == [path.name for path in machine_sources()]
        text = "".join(path.read_text() for path in copies)
        assert "sid" in text and own not in text
    assert base_path(tmp_path, "sid") != base_path(tmp_path, own)
