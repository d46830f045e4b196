"""What a procedure says for itself on its own server: rows of its tables, and its answer. Read-only, Python 3.9."""

from __future__ import annotations

import http.client
import os
import socket
import sqlite3
import time
from urllib.parse import quote

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
    from ansible.module_utils.kahn_servers import Servers
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable
    from kahn_servers import Servers

ANSWER_S = 10
BUSY_S = 10
LARGEST = 1 << 20


def databases(settings, store):
    """{"postgresql wohngeld public.antrag": 1200}: rows of every table, counted while users work."""
    found = {}
    for path in settings["databases"]:
        for table, rows in sqlite_rows(path).items():
            found[f"sqlite {os.path.basename(path)} {table}"] = rows
    return {**found, **Servers(settings, store).rows()}


def sqlite_rows(path):
    """{table: rows}. Raises Trouble."""
    uri = (
        "file:" + quote(os.fsencode(path)) + "?mode=rw"
    )  # a reader alone would leave the log beside it, see kahn_sqlite
    try:
        database = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
        try:
            database.execute("pragma query_only = on")
            asked = "select name from sqlite_master where type = 'table' and sql not like 'create virtual%' order by 1"
            names = [row[0] for row in database.execute(asked)]
            count = 'select count(*) from "{}"'
            return {one: database.execute(count.format(one.replace('"', '""'))).fetchone()[0] for one in names}
        finally:
            database.close()
    except sqlite3.Error as error:
        raise Trouble("database_damaged", f"The database {printable(path)}: {printable(str(error))}.") from None


def question(settings, proc="/proc"):
    """{"status": "200, with the expected text", "milliseconds": 12}, asked where the service listens."""
    address, port = where(settings["port"], proc), settings["port"]
    began = time.monotonic()
    try:
        status = _asked(settings, address, port) if settings["path"] else _reached(address, port)
    except (OSError, http.client.HTTPException) as error:
        return {"status": "none: " + printable(str(error) or type(error).__name__)[:100], "milliseconds": 0}
    return {"status": status, "milliseconds": round(1000 * (time.monotonic() - began))}


def _reached(address, port):
    socket.create_connection((address, port), ANSWER_S).close()
    return "connection accepted"


def _asked(settings, address, port):
    asked = http.client.HTTPConnection(address, port, timeout=ANSWER_S)
    asked.request("GET", settings["path"], headers={"Host": settings["host"] or address, "Connection": "close"})
    answer = asked.getresponse()
    text = answer.read(LARGEST).decode("utf-8", "replace")
    asked.close()
    return f"{answer.status}, {'with' if settings['expect'] in text else 'WITHOUT'} the expected text"


def where(port, proc="/proc"):
    """The address at which something listens on that port; this machine's own where nothing does."""
    for name in ("tcp", "tcp6"):
        try:
            with open(os.path.join(proc, "net", name)) as opened:
                rows = [line.split() for line in opened][1:]
        except OSError:
            continue
        for row in rows:
            address, number = row[1].split(":")
            if row[3] == "0A" and int(number, 16) == port:
                return _readable(address)
    return "127.0.0.1"


def _readable(address):
    if not address.strip("0"):
        return "127.0.0.1" if len(address) == 8 else "::1"
    words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, b"".join(words))
