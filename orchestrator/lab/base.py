"""The base root file system all lab hosts share, built once per user by mmdebstrap."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator.lab.errors import LabNotPossible, LabSourcesMissing
from orchestrator.lab.kernel import run, tool_environment
from orchestrator.lab.notice import Notice, Tell

PACKAGES = (
    "acl", "attr", "dbus", "iproute2", "openssh-server", "procps", "python3", "sudo", "systemd-sysv", "util-linux",
)  # fmt: skip
DOWNLOAD_MB, DISK_MIB = 60, 210
_RECIPE = 1  # raised whenever the steps below change, so that old bases are not used any more
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")
_MASKED = (
    "apt-daily-upgrade.timer", "apt-daily.timer", "console-getty.service", "dpkg-db-backup.timer",
    "e2scrub_reap.service", "getty@tty1.service", "systemd-logind.service", "systemd-networkd.service",
    "systemd-resolved.service", "systemd-timesyncd.service", "systemd-udevd.service",
)  # fmt: skip


def default_cache() -> Path:
    """Where bases are kept for all checkouts of this user: $KAHN_LAB_CACHE or ~/.cache/kahn/lab."""
    chosen = os.environ.get("KAHN_LAB_CACHE")
    return Path(chosen).absolute() if chosen else Path.home() / ".cache" / "kahn" / "lab"


def machine_suite() -> str:
    """The release name of this machine's own system. Raises LabNotPossible."""
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip().strip('"')
    raise LabNotPossible(lacks="/etc/os-release names no release (VERSION_CODENAME)")


def machine_sources(etc_apt: Path = Path("/etc/apt")) -> tuple[Path, ...]:
    """The system's own package sources, without those of third parties."""
    own = [etc_apt / "sources.list.d" / f"{system}.sources" for system in ("debian", "ubuntu")]
    old = etc_apt / "sources.list"
    found = [path for path in own if path.is_file()]
    if old.is_file() and any(line.lstrip().startswith("deb ") for line in old.read_text().splitlines()):
        found.append(old)
    return tuple(found)


def base_path(cache: Path, suite: str, more: Sequence[str] = ()) -> Path:
    """Where the base for this suite and package list is, or will be; ``more`` packages make another one."""
    recipe = "\n".join((str(_RECIPE), suite, *PACKAGES, *more, *_MASKED, *_LEFT_OUT))
    return cache / f"base-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure_base(cache: Path, tell: Tell, more: Sequence[str] = (), *, suite: str = "") -> Path:
    """The finished base, built first if need be; only one lab builds, others wait. Raises LabSourcesMissing.

    ``suite`` is another release of the same system, from the same mirrors.
    """
    suite = suite or machine_suite()
    target = base_path(cache, suite, more)
    if target.is_dir():
        return target
    if shutil.which("mmdebstrap", path=tool_environment()["PATH"]) is None:
        raise LabNotPossible(lacks="mmdebstrap is not installed (apt-get install mmdebstrap)")
    cache.mkdir(parents=True, exist_ok=True)
    with _builder(cache, tell) as lock:
        if not target.is_dir():
            _build(target, suite, tell=tell, lock=lock, packages=(*PACKAGES, *more))
    return target


@contextmanager
def _builder(cache: Path, tell: Tell) -> Iterator[int]:
    with open(cache / "base.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(Notice(says="Another lab is building the base root file system; waiting for it."))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _build(target: Path, suite: str, *, tell: Tell, lock: int, packages: Sequence[str]) -> None:
    part = target.with_name(target.name + ".part")
    tell(
        Notice(
            says="Building the base root file system once: about {download} MB to download, {disk} MiB in {where}.",
            facts={"download": DOWNLOAD_MB, "disk": DISK_MIB, "where": target},
        )
    )
    _remove(part)
    try:
        _bootstrap(part, suite, tell=tell, lock=lock, packages=packages)
        _finish(part)
        part.rename(target)
    finally:
        _remove(part)
    tell(Notice(says="The base root file system is ready."))


def _bootstrap(part: Path, suite: str, *, tell: Tell, lock: int, packages: Sequence[str]) -> None:
    """Runs mmdebstrap inside its own mount and process namespace: killing it takes everything of it along.

    It dies with the caller and holds the lock as well, so no second build can meet the rest of a first one.
    """
    log = part.with_name(part.name + ".log")
    sources = sources_of(suite, part.with_name(part.name + ".d"))
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    words += ["mmdebstrap"]
    words += ["--variant=minbase", "--mode=root", "--dpkgopt=force-unsafe-io", f"--include={','.join(packages)}"]
    words += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    words += [f"--aptopt={line}" for line in _proxy_options()]
    words += [suite, str(part), *map(str, sources)]
    with open(log, "w") as out:
        child = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=tool_environment(), pass_fds=(lock,)
        )
    try:
        _watch(child, log, tell)
        if child.returncode:
            raise LabSourcesMissing(reason=log.read_text(errors="replace").strip()[-800:])
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        log.unlink(missing_ok=True)
        _remove(part.with_name(part.name + ".d"))


def sources_of(suite: str, place: Path) -> tuple[Path, ...]:
    """The machine's own sources, or copies of them below ``place`` that name another release."""
    own = machine_sources()
    if suite == machine_suite():
        return own
    _remove(place)
    place.mkdir()
    for path in own:
        (place / path.name).write_text(path.read_text().replace(machine_suite(), suite))
    return tuple(place / path.name for path in own)


def _watch(child: subprocess.Popen[bytes], log: Path, tell: Tell) -> None:
    began, told = time.monotonic(), 0.0
    while child.poll() is None:
        time.sleep(0.1)
        if time.monotonic() - told >= 4:
            told = time.monotonic()
            stages = [line[3:] for line in log.read_text(errors="replace").splitlines() if line.startswith("I: ")]
            facts = {"seconds": int(told - began), "stage": stages[-1] if stages else "start"}
            tell(Notice(says="  base root file system, {seconds} s: {stage}", facts=facts))


def _proxy_options() -> tuple[str, ...]:
    """How this machine's apt reaches its sources; mmdebstrap would not look there."""
    wanted = ("acquire::http::", "acquire::https::", "acquire::retries", "acquire::check-valid-until")
    lines = run("apt-config", "dump", allow_failure=True).splitlines()
    return tuple(line for line in lines if line.lower().startswith(wanted) and not line.rstrip().endswith('"";'))


def _finish(part: Path) -> None:
    for key in (part / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (part / "etc/machine-id").write_text("")
    (part / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    for unit in _MASKED:
        link = part / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")


def _remove(part: Path) -> None:
    if part.exists():
        shutil.rmtree(part, ignore_errors=True)
