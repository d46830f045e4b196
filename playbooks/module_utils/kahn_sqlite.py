"""A SQLite database as seen by who moves it: put at rest, and fingerprinted whatever the order of its rows.

Python 3.9, standard library only; sent to the hosts as one program.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from urllib.parse import quote

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable

COMPANIONS = ("-wal", "-shm", "-journal")
BUSY_S = 5
_MASK = 2**64 - 1


def settle(path):
    """Let SQLite finish what an ended program left beside the database (a hot journal, a write-ahead log)."""
    waiting = [path + one for one in ("-wal", "-journal") if _size(path + one)]
    if not waiting:
        return False
    with _Opened(path, "rw") as database:
        database.execute("select count(*) from sqlite_master").fetchall()
        database.execute("pragma wal_checkpoint(truncate)").fetchall()
    if any(_size(path + one) for one in ("-wal", "-journal")):
        raise Trouble("database_in_use", "Somebody still writes to the database " + printable(path) + ".")
    return True


def check(path):
    """That it is a whole database; read while others use it. Raises Trouble.

    Nothing is written. A connection that may write takes its log away when it is the last one; one that may only read
    would leave it beside the database.
    """
    with _Opened(path, "rw") as database:
        said = database.execute("pragma quick_check(1)").fetchone()
        if said[0] != b"ok":
            raise Trouble("database_damaged", printable(path) + ": " + printable(bytes(said[0])))


def fingerprint(path):
    """{"schema": digest, "tables": {name: [rows, sum of the rows' 64-bit digests]}} of a database at rest.

    The table of sequences (sqlite_sequence) is one of them. Nothing is written beside the file.
    """
    with _Opened(path, "ro", "&immutable=1") as database:
        rows = database.execute("select type, name, tbl_name, sql from sqlite_master order by 1, 2").fetchall()
        version = database.execute("pragma user_version").fetchone()
        schema = hashlib.sha256(repr((rows, version)).encode()).hexdigest()
        names = [
            row[1] for row in rows if row[0] == b"table" and not (row[3] or b"").lower().startswith(b"create virtual")
        ]
        return {"schema": schema, "tables": {name.decode("utf-8", "replace"): _table(database, name) for name in names}}


def _table(database, name):
    quoted = '"' + name.decode("utf-8", "surrogateescape").replace('"', '""') + '"'
    count, total, digest = 0, 0, hashlib.blake2b
    for row in database.execute("select * from " + quoted):
        count += 1
        total += int.from_bytes(digest(repr(row).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return [count, "%016x" % (total & _MASK)]


class _Opened:
    """An open database whose texts are bytes; SQLite's own words become Trouble."""

    def __init__(self, path, mode, more=""):
        self._path = path
        self._uri = "file:" + quote(os.fsencode(path)) + "?mode=" + mode + more

    def __enter__(self):
        try:
            self._database = sqlite3.connect(self._uri, uri=True, timeout=BUSY_S, isolation_level=None)
        except sqlite3.Error as error:
            raise self._trouble(error) from None
        self._database.text_factory = bytes
        return self._database

    def __exit__(self, kind, error, trace):
        self._database.close()
        if isinstance(error, sqlite3.Error):
            raise self._trouble(error) from None

    def _trouble(self, error):
        said = str(error)
        busy = "locked" in said or "busy" in said
        full = "disk is full" in said
        cause = "database_in_use" if busy else "disk_full" if full else "database_damaged"
        return Trouble(cause, "The database " + printable(self._path) + ": " + printable(said) + ".")


def _size(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
