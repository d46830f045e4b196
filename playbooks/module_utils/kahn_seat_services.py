"""The system's own programs behind a seat's equipment: printing and mounting. Python 3.9, standard library only.

Each is asked only where it is there; none makes a step fail: a share whose server is away at night is told, not fatal.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager

try:
    from ansible.module_utils.kahn_outcome import printable
    from ansible.module_utils.kahn_shares import KINDS
except ImportError:  # sent to a host as one program
    from kahn_outcome import printable
    from kahn_shares import KINDS

SECONDS = 20
_UNITS = ("cups.service", "cups.socket", "cups.path")


def _runs_systemd():
    return os.path.isdir("/run/systemd/system") and shutil.which("systemctl") is not None


def _said(*command):
    """(exit code, last line that the program said); 124 when it took too long, 127 when there is none."""
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return 124, f"no answer within {SECONDS} s"
    except OSError as error:
        return 127, os.strerror(error.errno or 0)
    lines = (ended.stderr or ended.stdout).decode("utf-8", "replace").strip().splitlines()
    return ended.returncode, printable(lines[-1]) if lines else ""


@contextmanager
def printing_stopped(needed):
    """Within: CUPS does not run, which would write its configuration over ours when it ends.

    What starts with the machine is started even if it did not run: an earlier try may have died in between.
    """
    units = _UNITS if needed and _runs_systemd() else ()
    running = [unit for unit in units if _said("systemctl", "is-active", "-q", unit)[0] == 0]
    wanted = [unit for unit in units if unit in running or _said("systemctl", "is-enabled", "-q", unit)[0] == 0]
    if running:
        _said("systemctl", "stop", *running)
    try:
        yield
    finally:
        if wanted:
            _said("systemctl", "start", *wanted)


def reread():
    """Let systemd read fstab again."""
    if _runs_systemd():
        _said("systemctl", "daemon-reload")


def mount(share):
    """Mount a share of fstab; what people must know when that did not work, or nothing."""
    if "noauto" in share["options"]:
        return ""
    if shutil.which(KINDS[share["kind"]], path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        return "share {}: the successor lacks {}".format(printable(share["source"]), KINDS[share["kind"]])
    code, says = _said("mount", share["place"])
    return "" if code == 0 else "share {}: not mounted yet: {}".format(printable(share["source"]), says or code)


def unmount(places):
    """Take away what is mounted at these places."""
    for place in places:
        if os.path.ismount(place):
            _said("umount", place)
            if os.path.ismount(place):
                _said("umount", "--lazy", place)
