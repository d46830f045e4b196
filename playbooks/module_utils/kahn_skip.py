"""Sends the rest of an archive's member whose beginning the other side has, and only if it is the very same beginning.

`HEAD SIZE SHA256 COMMAND...`: the command is run anew, the member's HEAD bytes of headers and SIZE bytes behind them
are read and compared here, and only what follows is sent. So a file of gigabytes is read again where it lies, and not
carried again. Nothing is sent and the exit code is OTHER where the beginning is another one now. Python 3.9, standard
library only; sent to a host as one program.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

CHUNK = 256 * 1024
OTHER = 69
"""Exit code: what the other side has is not the beginning of this."""
_BLOCK = 512
_CHECKSUM = slice(148, 156)


def plain(head):
    """A member's headers without what differs each time: the number of the program that wrote them."""
    blocks = [bytearray(head[place : place + _BLOCK]) for place in range(0, len(head), _BLOCK)]
    for block in blocks[:1] + blocks[-1:]:
        block[_CHECKSUM] = bytes(8)
    return re.sub(rb"(PaxHeaders|GNUSparseFile)\.\d+/", rb"\1/", b"".join(blocks)).rstrip(b"\0")


def send(out, head, size, digest, command):
    """Send what follows the member's beginning; the exit code."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        if _digest(program.stdout, head, size) != digest:
            return OTHER
        while True:
            piece = program.stdout.read1(CHUNK)
            if not piece:
                out.flush()
                return program.wait()
            out.write(piece)
    finally:
        program.kill()
        program.wait()


def _digest(stream, head, size):
    whole = hashlib.sha256(plain(stream.read(head)))
    while size:
        piece = stream.read(min(CHUNK, size))
        if not piece:
            return ""
        whole.update(piece)
        size -= len(piece)
    return whole.hexdigest()


def command_of(source, have, command):
    """The argument list that runs this file, whose text is `source`, around a command; `have` is kahn_parts' answer."""
    return ["python3", "-B", "-c", source, str(have["head"]), str(have["behind"]), have["sha256"], *command]


if __name__ == "__main__":
    try:
        code = send(sys.stdout.buffer, int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
    except BrokenPipeError:
        code = 1
    sys.stdout = None  # what cannot be flushed any more is not worth a word
    os._exit(code)
