"""What arrived beside a MariaDB database takes its name: tables change their names, the rest is made again from a file.

MariaDB cannot rename a database, but it renames all tables of one in a single statement, without copying. Triggers
would keep it from that, and views and routines cannot change their database at all: these lie in a file of the asset's
directory before the old database goes. Until then the old one is whole, from then on the new one is; whoever is killed
in between goes on where it was left. Python 3.9, standard library only.
"""

from __future__ import annotations

import os
import subprocess

try:
    from ansible.module_utils.kahn_mariadb_words import SCHEMA, TABLES, WORD, digest_of, only, quoted, text, trouble_of
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
    from ansible.module_utils.kahn_service import note, note_of
except ImportError:  # sent to a host as one program
    from kahn_mariadb_words import SCHEMA, TABLES, WORD, digest_of, only, quoted, text, trouble_of
    from kahn_outcome import Trouble, printable, remove_file, write_whole
    from kahn_service import note, note_of

BESIDE = "_kahn_new"
"""Follows the name of a database that arrived and does not count yet."""
_NOTED = "mariadb_swap"


def schema_of(server, name, place):
    """A digest of everything in a database but its rows, as if it had that name already."""
    inside, outside = quoted(place) + ".", quoted(name) + "."
    found = [server.ask(one.format(text(place))) for one in SCHEMA]
    named = [[[one and one.replace(inside, outside) for one in row] for row in rows] for rows in found]
    return digest_of([repr(sorted(map(repr, rows))) for rows in named])


def new_database(server, name, characters, collation):
    """An empty database in the place of what is there. Raises Trouble."""
    for word in (characters, collation):
        if not WORD.fullmatch(word):
            raise Trouble("parcel_damaged", "The database's collation is no plain word.")
    server.ask(f"drop database if exists {quoted(name)}")
    server.ask(f"create database {quoted(name)} character set {characters} collate {collation}")


def begun(store):
    """Names of the databases that are changing places."""
    return note_of(store).get(_NOTED, {})


def take_place(server, store, name):
    """The database beside takes the name. Repeats without effect. Raises Trouble."""
    place, kept = name + BESIDE, os.path.join(store, "mariadb." + name)
    if name not in begun(store):
        write_whole(kept, [_objects(server, place)])
        _note(store, name, {"schema": schema_of(server, name, place), "emptied": False})
    moving = [table for table, kind in server.ask(TABLES.format(text(place))) if kind != "VIEW"]
    if moving:
        _rename(server, store, name, moving)
    _load(server, name, kept)
    if schema_of(server, name, name) != begun(store)[name]["schema"]:
        raise Trouble("fingerprint_differs", f"The database {name} is not as it arrived; what is left of it is kept.")
    server.ask(f"drop database if exists {quoted(place)}")
    _note(store, name, None)
    remove_file(kept)


def _note(store, name, facts):
    kept = {**begun(store), name: facts}
    note(store, **{_NOTED: {key: one for key, one in kept.items() if one is not None} or None})


def _rename(server, store, name, tables):
    """All tables at once. A server before 10.6 that loses its power in the midst has renamed some of them: then the
    others follow, and nothing is dropped a second time."""
    place = name + BESIDE
    words = server.ask(
        "select default_character_set_name, default_collation_name from information_schema.schemata "
        f"where schema_name = {text(place)}"
    )
    for (trigger,) in server.ask(
        f"select trigger_name from information_schema.triggers where trigger_schema = {text(place)}"
    ):
        server.ask(f"drop trigger if exists {quoted(place)}.{quoted(trigger)}")
    if not begun(store)[name]["emptied"]:
        new_database(server, name, *words[0])
        _note(store, name, {**begun(store)[name], "emptied": True})
    pairs = ", ".join(f"{quoted(place)}.{quoted(one)} to {quoted(name)}.{quoted(one)}" for one in tables)
    server.ask(f"rename table {pairs}")


def _objects(server, place):
    """Triggers, routines and events, then views, as the dump program writes them."""
    common = ("--no-data", "--skip-dump-date", "--default-character-set=utf8mb4", "--skip-add-locks")
    rest = ("--no-create-info", "--triggers", "--add-drop-trigger", "--routines", "--events")
    found = _dump(server, place, *common, *rest, place)
    views = [table for table, kind in server.ask(TABLES.format(text(place))) if kind == "VIEW"]
    return found + (_dump(server, place, *common, "--skip-triggers", "--", place, *views) if views else b"")


def _dump(server, place, *words):
    ended = subprocess.run(server.argv("mariadb-dump", *words), capture_output=True, cwd="/", stdin=subprocess.DEVNULL)
    if ended.returncode:
        raise trouble_of(place, ended.stderr)
    return ended.stdout


def _load(server, name, kept):
    try:
        with open(kept, "rb") as opened:
            argv = server.argv("mariadb", *server.tame(), "--batch", "--default-character-set=utf8mb4", *only(name))
            ended = subprocess.run(argv, stdin=opened, capture_output=True, cwd="/")
    except FileNotFoundError:
        says = f"What belongs to the database {printable(name)} beside its tables is not kept any more."
        raise Trouble("database_missing", says) from None
    if ended.returncode:
        raise trouble_of(name, ended.stderr)
