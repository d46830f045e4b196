"""Runs by real Ansible: builds the directory, starts the detached supervisor, reads what the run leaves, ends it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orchestrator.supervisor
from inventory.errors import ExpectedError
from orchestrator.adapters.run_directory import RUN_ID, SOCKETS, Places, RunRefused, build_run_directory
from orchestrator.adapters.spool_reader import read_spool
from orchestrator.core.wave import RunId
from orchestrator.ports import Clock
from orchestrator.run_ports import PlaybookRunner, RunOrder, SpoolRead
from orchestrator.supervisor import files
from orchestrator.supervisor.boundary import boundary, passed_on
from orchestrator.supervisor.processes import end_all, end_connections, processes_of

_CODE = Path(orchestrator.supervisor.__file__).resolve().parents[2]
_CALLBACKS = _CODE / "playbooks" / "plugins" / "callback"
_START_WAIT_S = 60
_KILL_GRACE_S = 4.0
_NOTHING = SpoolRead(
    lines=(), offset=0, started=False, exited=False, exit_code=None, last_seq=None, alive=False, damaged=""
)


class RunStuck(ExpectedError):
    """A run whose files cannot be written: nobody can say that it will not start, so its assets stay locked."""

    code, says = "RUN-103", "Run {run} cannot be closed: {why}."
    remedy = "Mend what it names (a full disk, or a foreign file in `runs/`); the driver tries again by itself."
    exit_code = 7


class AnsibleRuns(PlaybookRunner):
    """Runs of one state directory. Any number of these objects may read; only the driver starts, closes and kills."""

    def __init__(
        self, *, state: Path, trees: Path, ansible_playbook: Path, clock: Clock, sockets: Path = Path("/tmp")
    ) -> None:
        self._clock = clock
        self._places = Places(
            state=state.resolve(),
            trees=trees.resolve(),
            callback_plugins=_CALLBACKS,
            ansible_playbook=ansible_playbook.absolute(),
            sockets=sockets,
        )

    def start(self, order: RunOrder) -> None:
        """Build the directory, start the supervisor, return once its START is on the disk. Raises RunRefused."""
        run = order.run.id
        if not RUN_ID.fullmatch(run):
            raise RunRefused(run=ascii(run)[:80], why="its id is no plain word")
        if order.run.deadline <= self._clock.now():
            raise RunRefused(run=run, why="its deadline has passed")
        try:
            self._note_epoch(order)
            path = build_run_directory(order, self._places)
        except (OSError, ValueError) as problem:
            raise RunRefused(run=run, why=f"the state directory cannot be used: {problem}") from problem
        try:
            with boundary("supervisor.spawn"):
                ended = subprocess.run(
                    [*_scope(run), sys.executable, "-P", "-m", "orchestrator.supervisor", str(path)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    cwd=path,
                    env=_environment(run),
                    start_new_session=True,
                    timeout=_START_WAIT_S,
                    check=False,
                )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise RunRefused(run=run, why=f"its supervisor did not start: {problem}") from problem
        if ended.returncode != 0:
            why = ended.stderr.decode(errors="replace").strip()[-400:]
            raise RunRefused(run=run, why=why or f"its supervisor ended with {ended.returncode}")

    def read(self, run: RunId, *, offset: int) -> SpoolRead:
        """New complete lines since offset; never blocks. A missing or half-built directory reads as not started."""
        try:
            with self._opened(run) as directory:
                # Whether it lives is asked first: what a dead run wrote is then complete when it is read.
                alive = _locked(directory) or bool(processes_of(run))
                records = files.whole_records(files.read_plain(directory, files.RECORDS))
                spool = read_spool(files.read_plain(directory, files.SPOOL), offset=offset)
        except FileNotFoundError:
            return _NOTHING
        except (OSError, files.NotOurs) as problem:
            return _unreadable(run, offset=offset, why=str(problem))
        end = next((record for record in records if record["kind"] == "EXIT"), None)
        damaged = spool.damaged
        if end is not None and not damaged and spool.last_seq != end["last_seq"]:
            damaged = f"the spool ends with line {spool.last_seq}, but {end['last_seq']} were written"
        return SpoolRead(
            lines=spool.lines,
            offset=spool.offset,
            started=any(record["kind"] == "START" for record in records),
            exited=end is not None,
            exit_code=end["rc"] if end is not None else None,
            last_seq=end["last_seq"] if end is not None else None,
            alive=alive,
            damaged=damaged,
        )

    def close(self, run: RunId) -> bool:
        """Forbid a late start for ever. True when no process of the run lives and none can start any more.

        A run whose directory is missing gets one that holds nothing but the mark. Raises RunStuck.
        """
        try:
            return self._close(run)
        except (OSError, files.NotOurs) as problem:
            raise RunStuck(run=ascii(run)[:80], why=problem) from problem

    def _close(self, run: RunId) -> bool:
        self._places.runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            (self._places.runs / _checked(run)).mkdir(mode=0o700)
        with self._opened(run) as directory:
            alive = files.open_plain(directory, files.ALIVE, os.O_RDWR | os.O_CREAT)
            try:
                if not files.try_lock(alive, within_s=0.5):
                    return False
                with suppress(FileExistsError):
                    files.write_new(directory, files.CLOSED, b"")
                with boundary("run.closed.sync"):
                    os.fsync(directory)
            finally:
                os.close(alive)
            if processes_of(run):
                return False
            _clear(run, directory)
        return True

    def kill(self, run: RunId) -> None:
        """Kill every process of the run, ssh connection masters last; takes a few seconds. ``read`` tells the rest."""
        end_all(_checked(run), sockets=self._sockets(run), grace_s=_KILL_GRACE_S)

    def epoch(self) -> int:
        """The highest driver epoch that started a run here; 0 before the first. A damaged note is told at the start."""
        with suppress(ValueError):
            return max(_stored_epoch(self._places.epoch_file), 0)
        return 0

    def runs_here(self) -> frozenset[RunId]:
        """Every run whose directory lies here."""
        try:
            names = os.listdir(self._places.runs)
        except FileNotFoundError:
            return frozenset()
        return frozenset(RunId(name) for name in names if RUN_ID.fullmatch(name))

    def _sockets(self, run: RunId) -> str:
        with suppress(OSError, files.NotOurs), self._opened(run) as directory:
            return _sockets_in(directory)
        return ""

    @contextmanager
    def _opened(self, run: RunId) -> Iterator[int]:
        with files.opened_directory(self._places.runs / _checked(run)) as directory:
            yield directory

    def _note_epoch(self, order: RunOrder) -> None:
        """Keep the highest epoch that started a run here; a supervisor of a lower one refuses. Raises RunRefused."""
        state, epoch = self._places.state, order.run.epoch
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        guard = os.open(state / "epoch.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(guard, fcntl.LOCK_EX)
            known = _stored_epoch(self._places.epoch_file)
            if epoch < known:
                why = f"a newer driver is at work: epoch {epoch} is older than {known}"
                raise RunRefused(run=order.run.id, why=why)
            if epoch > known:
                _replace(self._places.epoch_file, str(epoch).encode())
        finally:
            os.close(guard)


def _stored_epoch(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return -1


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(".new")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        with boundary("epoch.sync"):
            os.fsync(stream.fileno())
    with boundary("epoch.rename"):
        part.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    with boundary("epoch.directory.sync"):
        os.fsync(descriptor)
    os.close(descriptor)


def _checked(run: str) -> RunId:
    if not RUN_ID.fullmatch(run):
        raise files.NotOurs(f"{run[:80]!r} is no run id")
    return RunId(run)


def _locked(directory: int) -> bool:
    """Whether any process holds the run's lock; never waits and leaves it as it was."""
    try:
        alive = files.open_plain(directory, files.ALIVE, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not files.try_lock(alive)
    finally:
        os.close(alive)


def _unreadable(run: RunId, *, offset: int, why: str) -> SpoolRead:
    """A run whose files cannot be trusted at all: started, for all we know, and damaged."""
    return SpoolRead(
        lines=(),
        offset=offset,
        started=True,
        exited=False,
        exit_code=None,
        last_seq=None,
        alive=bool(RUN_ID.fullmatch(run)) and bool(processes_of(run)),
        damaged=f"the run's files cannot be read: {why}",
    )


def _clear(run: RunId, directory: int) -> None:
    """End what a lost supervisor left: idle connections, their sockets, and what runner noted."""
    sockets = _sockets_in(directory)
    end_connections(run, sockets=sockets)
    if sockets:
        shutil.rmtree(sockets, ignore_errors=True)
    shutil.rmtree(files.RUNNER, ignore_errors=True, dir_fd=directory)


def _sockets_in(directory: int) -> str:
    """Directory of the run's control sockets as its manifest names it; empty when there is none."""
    try:
        found = json.loads(files.read_plain(directory, files.MANIFEST))
    except ValueError:
        return ""
    sockets = str(found.get("sockets", "")) if isinstance(found, dict) else ""
    return sockets if SOCKETS.fullmatch(Path(sockets).name) and not Path(sockets).is_symlink() else ""


def _environment(run: str) -> dict[str, str]:
    """The supervisor's whole environment."""
    return {
        "KAHN_RUN": run,
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(_CODE),
        **passed_on(),
    }


def _scope(run: str) -> tuple[str, ...]:
    """A scope of its own where systemd runs and lets us, so that a restart of the service does not end the run."""
    if os.geteuid() != 0 or not Path("/run/systemd/system").is_dir() or not shutil.which("systemd-run"):
        return ()
    return ("systemd-run", "--scope", "--quiet", "--collect", f"--unit=kahn-run-{run}", "--")
