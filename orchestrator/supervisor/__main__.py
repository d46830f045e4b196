"""``python -m orchestrator.supervisor RUN_DIR``: starts one run, outlives its starter, and records how it ended.

Ends with 0 once START is on the disk and the run goes on in a session of its own, or with 71 when it may not start.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from orchestrator.supervisor import files
from orchestrator.supervisor.admission import Admitted, Refused, admit, note, share
from orchestrator.supervisor.boundary import boundary, passed_on
from orchestrator.supervisor.processes import end_connections, processes_of
from orchestrator.supervisor.watch import Watch

EXIT_REFUSED = 71
_STARTED = b"started"


def main(argv: list[str]) -> int:
    """Detach, start the run, and say whether it started."""
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    readable, writable = os.pipe()
    with boundary("supervisor.fork"):
        child = os.fork()
    if child == 0:
        os.close(readable)
        os.setsid()
        os._exit(_supervise(Path(argv[1]), starter=writable))
    os.close(writable)
    if os.read(readable, len(_STARTED)) == _STARTED:
        return 0
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or EXIT_REFUSED


def _supervise(path: Path, *, starter: int) -> int:
    try:
        with files.opened_directory(path) as directory:
            admitted = admit(path, directory)
            os.write(starter, _STARTED)
            os.close(starter)
            _leave_starter(directory)
            _run(admitted)
    except (Refused, files.NotOurs, OSError) as why:
        print(f"supervisor: {why}", file=sys.stderr, flush=True)
        return EXIT_REFUSED
    return 0


def _leave_starter(directory: int) -> None:
    """Let go of everything that belongs to whoever started this process."""
    null = os.open(os.devnull, os.O_RDWR)
    complaints = files.open_plain(directory, files.COMPLAINTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(complaints, 2)
    os.close(null)
    os.close(complaints)


def _run(admitted: Admitted) -> None:
    """Play, record the end, clean up. Whatever happens, EXIT is written once ansible's main process is gone."""
    display = files.open_plain(admitted.directory, files.DISPLAY, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    watch = Watch(
        run=admitted.manifest["run"],
        sockets=admitted.manifest["sockets"],
        directory=admitted.directory,
        seconds_left=admitted.seconds_left,
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        watch.stop.set()

    signal.signal(signal.SIGTERM, stop)
    rc: int | None = EXIT_REFUSED
    why = "closed before ansible was started"
    if share(admitted):
        watch.start()
        _open_hops(admitted)
        rc, why = _play(admitted, display=display)
    _record_end(admitted, rc=rc, why=why, watch=watch)
    _wait_for_stragglers(admitted.manifest["run"])
    watch.finished.set()
    _clean_up(admitted.manifest)


def _open_hops(admitted: Admitted) -> None:
    """Open the connections to jump hosts, while ansible starts. Nobody waits: where one is missing, each connection to
    a machine makes its own, and tells what is wrong with it."""
    marked = {**_environment(admitted), "KAHN_HOP": "yes"}
    for command in admitted.manifest.get("hops", ()):
        quiet = subprocess.DEVNULL
        # One that cannot even be started costs the run nothing either: its end must be recorded whatever happens.
        with suppress(OSError), boundary("hop.open"):
            subprocess.Popen(command, env=marked, cwd=admitted.path, stdin=quiet, stdout=quiet, stderr=quiet)


def _play(admitted: Admitted, *, display: int) -> tuple[int | None, str]:
    """Run ansible-playbook to its end through ansible_runner; its return code, and what went wrong around it.

    Runner would put its own display plugin and settings into the environment (among them one that turns host key
    checking off); ``env -i`` gives ansible exactly the variables of ``_environment`` and nothing else.
    """
    manifest, path = admitted.manifest, admitted.path
    variables = [f"{name}={value}" for name, value in _environment(admitted).items()]
    try:
        import ansible_runner

        with open(os.devnull) as nothing, os.fdopen(display, "ab") as shown, boundary("ansible.run"):
            _, _, rc = ansible_runner.run_command(
                executable_cmd="/usr/bin/env",
                cmdline_args=["-i", *variables, *_command(manifest, path)],
                runner_mode="subprocess",
                private_data_dir=str(path / files.RUNNER),
                ident="play",
                host_cwd=str(path),
                input_fd=nothing,
                output_fd=shown,
                error_fd=shown,
                quiet=True,
            )
    except Exception as problem:
        return None, f"{type(problem).__name__}: {problem}"[:500]
    finally:
        shutil.rmtree(path / files.RUNNER, ignore_errors=True)
    return rc, ""


def _command(manifest: Mapping[str, Any], path: Path) -> list[str]:
    return [
        manifest["ansible_playbook"],
        "--inventory",
        str(path / files.INVENTORY),
        "--limit",
        "kahn_moves",
        "--forks",
        str(int(manifest["forks"])),
        str(path / files.BOOK),
    ]


def _environment(admitted: Admitted) -> dict[str, str]:
    """All variables that ansible and everything below it see. No secrets: they would be readable in /proc."""
    path = admitted.path
    return {
        "ANSIBLE_CONFIG": str(path / files.CONFIG),
        "HOME": str(path),
        "KAHN_ALIVE": str(path / files.ALIVE),
        "KAHN_CLOSED": str(path / files.CLOSED),
        "KAHN_RUN": admitted.manifest["run"],
        "KAHN_SPOOL": str(path / files.SPOOL),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        # A cache of compiled Python in the frozen tree would be a change of it: the next run would be refused.
        "PYTHONDONTWRITEBYTECODE": "1",
        **passed_on(),
    }


def _record_end(admitted: Admitted, *, rc: int | None, why: str, watch: Watch) -> None:
    _wipe(admitted.manifest.get("secrets"))
    last_seq = _last_seq(admitted.directory)
    # The record fits into the disk block that START has taken, so a full disk does not swallow it.
    note(admitted, "EXIT", rc=rc, last_seq=last_seq, why=why, over_time=watch.over_time, stopped=watch.stop.is_set())


def _last_seq(directory: int) -> int:
    """Sequence number of the spool's last whole line, 0 when there is none; gives unused room back as well."""
    try:
        content = files.read_plain(directory, files.SPOOL)
        if content:
            descriptor = files.open_plain(directory, files.SPOOL, os.O_WRONLY)
            os.ftruncate(descriptor, len(content))
            os.close(descriptor)
        lines = content.split(b"\n")[:-1]
        return int(files.parse_checked(lines[-1])["seq"]) if lines else 0
    except (OSError, ValueError, KeyError, files.NotOurs):
        return 0


def _wait_for_stragglers(run: str) -> None:
    """Forks go on when only ansible's main process died; the watch ends them at the deadline."""
    while processes_of(run):
        time.sleep(0.2)


def _clean_up(manifest: Mapping[str, Any]) -> None:
    end_connections(manifest["run"], sockets=manifest["sockets"])
    shutil.rmtree(manifest["sockets"], ignore_errors=True)


def _wipe(secrets: str | None) -> None:
    """Overwrite and remove the run's secrets, which lie in memory only."""
    for path in sorted(Path(secrets).rglob("*")) if secrets else ():
        if path.is_file() and not path.is_symlink():
            path.write_bytes(b"\0" * path.stat().st_size)
    if secrets:
        shutil.rmtree(secrets, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
