"""A message by a program of the house: no shell, message on its standard input, little environment, a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress

from orchestrator.adapters.notice_secret import NotDelivered
from orchestrator.core.contacts_file import CommandChannel
from orchestrator.core.notices import Letter
from orchestrator.supervisor.boundary import boundary

TO = "{to}"
SHOWN = 200


def run_command(channel: CommandChannel, letter: Letter) -> None:
    """Run the program; exit code 0 counts as delivered. Raises NotDelivered."""
    argv = [letter.to if word == TO else word for word in channel.argv]
    try:
        # Files, not pipes: neither a program that never reads nor a child of it that lives on can hold us up.
        with tempfile.TemporaryFile() as message, tempfile.TemporaryFile() as errors:
            message.write(f"{letter.subject}\n\n{letter.text}\n".encode())
            message.seek(0)
            with boundary("notice.command.spawn"):
                program = subprocess.Popen(
                    argv,
                    stdin=message,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env=_environment(letter),
                    cwd="/",
                    start_new_session=True,
                    close_fds=True,
                )
            code = _ended(program, within_s=channel.timeout_s)
            errors.seek(0)
            said = " ".join(errors.read(SHOWN).decode("utf-8", "replace").split())
    except (OSError, ValueError) as cause:
        raise NotDelivered(channel=channel.name, why=getattr(cause, "strerror", None) or cause) from cause
    if code is None:
        raise NotDelivered(channel=channel.name, why=f"the command did not end within {channel.timeout_s} s")
    if code != 0:
        raise NotDelivered(channel=channel.name, why=f"the command ended with {code} {said}".rstrip())


def _ended(program: subprocess.Popen[bytes], *, within_s: int) -> int | None:
    """Its exit code; None when it had to be killed, together with everything it started in its session."""
    try:
        return program.wait(timeout=within_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if program.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def _environment(letter: Letter) -> dict[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "KAHN_NOTICE": letter.id,
        "KAHN_NOTICE_KIND": letter.kind,
        "KAHN_NOTICE_TO": letter.to,
        "KAHN_NOTICE_TENANT": letter.tenant,
        "KAHN_NOTICE_WAVE": letter.wave,
    }
