"""The spool: what a run has done, written line by line to a file that survives whoever started the run.

Each line is one JSON object that ends with the CRC-32 of everything before it. Lines about effects are on the disk
before Ansible goes on. Where a line cannot be written the whole process ends at once (exit 70): Ansible itself would
swallow the exception and go on without a record.
"""

from __future__ import annotations

import binascii
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import signal
import sys
import threading
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
    name: kahn_spool
    type: notification
    short_description: writes the run's spool
    description:
      - Appends one checked line for each start and result to the file named by KAHN_SPOOL.
      - Holds a shared lock on the file named by KAHN_ALIVE for as long as any process of the run lives.
      - Ends the process with code 70 when it cannot do either, or when the file named by KAHN_CLOSED exists.
    requirements:
      - the environment variables KAHN_RUN, KAHN_SPOOL, KAHN_ALIVE and KAHN_CLOSED
"""

EXIT_CANNOT_RECORD = 70
RESERVED_BYTES = 4 * 1024 * 1024
MAX_MSG_BYTES = 4096
MAX_KAHN_BYTES = 64 * 1024
MAX_NAME = 200
MAX_DEPTH = 20
SAFE_INTEGER = 2**53
FALLOC_FL_KEEP_SIZE = 1
OWN_TASKS = {"kahn_reach": "claim", "kahn_claim": "claim", "kahn_end": "end"}


class CannotRecord(Exception):
    """The spool cannot be written as it must be."""


class CallbackModule(CallbackBase):
    """Sees every start and result in Ansible's main process and puts them down."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kahn_spool"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        with _OrDie():
            super().__init__(*args, **kwargs)
            self._run = os.environ["KAHN_RUN"]
            self._book = os.path.join(os.path.dirname(os.environ["KAHN_SPOOL"]), "run.yml")
            self._alive = _hold_alive(os.environ["KAHN_ALIVE"], closed=os.environ["KAHN_CLOSED"])
            self._spool = Spool(os.environ["KAHN_SPOOL"])
            self._task_numbers = {}
            # The run's own first task asks for this word: without a spool no host is touched.
            os.environ["KAHN_SPOOLING"] = self._run

    def v2_playbook_on_start(self, playbook):
        with _OrDie():
            self._spool.write("run_start", fields={"run": self._run, "pid": os.getpid()}, sync=True)

    def v2_playbook_on_task_start(self, task, is_conditional):
        with _OrDie():
            self._number(task)

    def v2_playbook_on_handler_task_start(self, task):
        with _OrDie():
            self._number(task)

    def v2_runner_on_start(self, host, task):
        with _OrDie():
            self._spool.write("task_start", host=host.get_name(), fields=self._about(task), sync=True)

    def v2_runner_on_ok(self, result):
        with _OrDie():
            task = _task_of(result)
            kind = "done" if self._part(task) == "done" else "ok"
            self._result(kind, result, sync=kind == "done")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        with _OrDie():
            lost = {"lost": True} if _never_answered(result) else {}
            self._result("failed", result, sync=True, more={"ignored": bool(ignore_errors), **lost})

    def v2_runner_on_unreachable(self, result):
        with _OrDie():
            ignored = bool(getattr(_task_of(result), "ignore_unreachable", False))
            self._result("unreachable", result, sync=True, more={"ignored": ignored})

    def v2_runner_on_skipped(self, result):
        with _OrDie():
            self._result("skipped", result, sync=False)

    def v2_playbook_on_no_hosts_matched(self):
        with _OrDie():
            self._spool.write("no_hosts", fields={}, sync=True)

    def v2_playbook_on_stats(self, stats):
        with _OrDie():
            hosts = {host: dict(stats.summarize(host)) for host in sorted(stats.processed)}
            self._spool.write("stats", fields={"hosts": hosts}, sync=True)

    def _number(self, task):
        return self._task_numbers.setdefault(task._uuid, len(self._task_numbers) + 1)

    def _part(self, task):
        """Which part of the run the task belongs to. Only tasks of the run's own book can claim, end or be done: a
        task of a runbook that bears their names is an ordinary step."""
        if (task.get_path() or "").rpartition(":")[0] != self._book:
            return "step"
        if task.name == "kahn_done " + self._run:
            return "done"
        return OWN_TASKS.get(task.name, "step")

    def _about(self, task):
        return {
            "task_no": self._number(task),
            "task": clean_text(task.get_name(), limit=MAX_NAME),
            "part": self._part(task),
            "action": clean_text(str(task.action), limit=MAX_NAME),
        }

    def _result(self, kind, result, *, sync, more=None):
        task = _task_of(result)
        fields = self._about(task)
        fields.update(more or {})
        fields.update(allowed(_fields_of(result), task=task))
        self._spool.write(kind, host=_host_of(result).get_name(), fields=fields, sync=sync)


class Spool:
    """A new file with reserved room, to which checked lines are appended. Raises OSError, CannotRecord."""

    def __init__(self, path):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._lock = threading.Lock()
        self._seq = 0
        reserve(self._descriptor, RESERVED_BYTES)
        with boundary("spool.reserved.sync"):
            os.fsync(self._descriptor)
        _sync_directory(os.path.dirname(path))

    def write(self, kind, *, fields, sync, host=""):
        """Append one line; with ``sync`` it is on the disk when this returns."""
        with self._lock:
            line = spool_line(self._seq + 1, kind=kind, host=host, fields=fields)
            if os.write(self._descriptor, line) != len(line):
                raise CannotRecord("a line was written in part only")
            self._seq += 1
            if sync:
                with boundary("spool.line.sync"):
                    os.fdatasync(self._descriptor)


def spool_line(seq, *, kind, host, fields):
    """One line as bytes: plain ASCII JSON whose last member is the CRC-32 of the object without it."""
    content = {
        "seq": seq,
        "mono_ns": time.monotonic_ns(),
        "wall_us": time.time_ns() // 1000,
        "kind": kind,
        "host": host,
    }
    content.update(fields)
    body = json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
    return body[:-1] + b',"crc32":%d}\n' % binascii.crc32(body)


def reserve(descriptor, size):
    """Keep room on the disk for the file without changing its length, so that readers see nothing of it.

    Raises OSError where there is no room. File systems that cannot reserve are let pass: a later write fails instead.
    """
    library = ctypes.CDLL(None, use_errno=True)
    library.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if library.fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, size) == 0:
        return
    code = ctypes.get_errno()
    if code not in (errno.EOPNOTSUPP, errno.ENOSYS):
        raise OSError(code, os.strerror(code))


def allowed(result, *, task):
    """The fields of a result that may be written: rc, changed, the beginning of msg, the report of our own modules."""
    fields = {"changed": bool(result.get("changed"))}
    if getattr(task, "no_log", False) is True or result.get("_ansible_no_log") or "censored" in result:
        return fields
    source = _telling(result)
    rc = source.get("rc")
    if isinstance(rc, int) and abs(rc) < SAFE_INTEGER:
        fields["rc"] = rc
    if isinstance(source.get("msg"), str):
        fields["msg"] = clean_text(source["msg"], limit=MAX_MSG_BYTES)
    if str(task.action).rpartition(".")[2].startswith("kahn_") and isinstance(source.get("kahn"), dict):
        fields["kahn"] = bounded(source["kahn"])
    return fields


def _telling(result):
    """The result itself, or of a loop the first round that failed, else the last one."""
    rounds = [one for one in result.get("results") or () if isinstance(one, dict)]
    if not rounds or "kahn" in result:
        return result
    failed = [one for one in rounds if one.get("failed") or one.get("unreachable")]
    return failed[0] if failed else rounds[-1]


def bounded(report):
    """The report as plain JSON of at most 64 KiB, else a note that it was left out."""
    try:
        cleaned = _plain(report, depth=0)
        size = len(json.dumps(cleaned, allow_nan=False, separators=(",", ":")))
    except (ValueError, TypeError, RecursionError) as problem:
        return {"truncated": True, "why": clean_text(str(problem), limit=MAX_NAME)}
    if size > MAX_KAHN_BYTES:
        return {"truncated": True, "why": "larger than 64 KiB", "bytes": size}
    return cleaned


def _plain(value, *, depth):
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return clean_text(value, limit=MAX_KAHN_BYTES)
    if isinstance(value, dict):
        return {clean_text(str(key), limit=MAX_NAME): _plain(one, depth=depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, depth=depth + 1) for one in value]
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < SAFE_INTEGER else str(value)
    raise ValueError("holds a value that is not plain JSON")


def clean_text(text, *, limit):
    """The text without control characters and broken code points, cut to ``limit`` bytes of UTF-8."""
    shown = "".join(char if char in "\n\t" or _shows(char) else "\ufffd" for char in str(text[:limit]))
    return shown.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def _shows(char):
    code = ord(char)
    return code >= 32 and not 127 <= code < 160 and not 0xD800 <= code < 0xE000


def _hold_alive(path, *, closed):
    """A shared lock for the life of this process and its forks. Raises CannotRecord when the run was closed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    if os.path.lexists(closed):
        raise CannotRecord("this run was closed before it began")
    return descriptor


def _sync_directory(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with boundary("spool.directory.sync"):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _task_of(result):
    return getattr(result, "task", None) or result._task


def _host_of(result):
    return getattr(result, "host", None) or result._host


def _never_answered(result):
    """Whether a machine reached by PSRP gave no answer at all: its connection breaks with an exception in mid-task,
    which Ansible calls a failure; by ssh it would be unreachable. What was sent may be done, or still at work.

    Arguments that Ansible could not fill in were never sent.
    """
    if _host_of(result).get_vars().get("ansible_connection") != "psrp":
        return False
    fields = _fields_of(result)
    said = str(fields.get("msg", ""))
    raised = "exception" in fields and "rc" not in fields and said.startswith("Task failed: ")
    return raised and not said.startswith("Task failed: Finalization of task args")


def _fields_of(result):
    fields = getattr(result, "result", None)
    return fields if isinstance(fields, dict) else result._result


def boundary(name):
    """A block that is one durable step, as in Kahn's supervisor: this file must not import anything of Kahn's."""
    return _Watched(name) if os.environ.get("KAHN_BOUNDARY") else contextlib.nullcontext()


class _Watched:
    """For tests: notes both sides of the block, and dies where KAHN_BOUNDARY (``LOG|side|name|number``) tells it to."""

    def __init__(self, name):
        self._name = name

    def __enter__(self):
        self._strike("before")

    def __exit__(self, kind, problem, trace):
        if problem is None:
            self._strike("after")

    def _strike(self, side):
        log, *wanted = os.environ["KAHN_BOUNDARY"].split("|")
        line = f"{side} {self._name}\n"
        with open(log, "a+", encoding="ascii") as notes:
            notes.write(line)
            notes.flush()
            notes.seek(0)
            lines = notes.readlines()
            if wanted[:2] == [side, self._name] and lines.count(line) == int(wanted[2]) and "killed\n" not in lines:
                notes.write("killed\n")
                notes.flush()
                os.kill(os.getpid(), signal.SIGKILL)


class _OrDie:
    """Ends the whole process where its body raises."""

    def __enter__(self):
        return self

    def __exit__(self, kind, problem, trace):
        if problem is not None:
            try:
                os.write(2, f"kahn_spool: {type(problem).__name__}: {problem}\n".encode("utf-8", "replace"))
            finally:
                sys.stderr = None
                os._exit(EXIT_CANNOT_RECORD)
        return False
