"""MariaDB's words: how names and values are quoted and read back, which rights there are, what its errors mean.

Python 3.9, standard library only.
"""

from __future__ import annotations

import hashlib
import json
import re

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable

RIGHTS = {
    "Select_priv": "select", "Insert_priv": "insert", "Update_priv": "update", "Delete_priv": "delete",
    "Create_priv": "create", "Drop_priv": "drop", "References_priv": "references", "Index_priv": "index",
    "Alter_priv": "alter", "Create_tmp_table_priv": "create temporary tables", "Lock_tables_priv": "lock tables",
    "Create_view_priv": "create view", "Show_view_priv": "show view", "Create_routine_priv": "create routine",
    "Alter_routine_priv": "alter routine", "Execute_priv": "execute", "Event_priv": "event",
    "Trigger_priv": "trigger", "Delete_history_priv": "delete history",
}  # fmt: skip
WORD = re.compile(r"[A-Za-z0-9_]{1,64}")
SECRET = re.compile(r"\*[0-9A-F]{40}|[A-Za-z0-9+/]{43}|")
PLUGINS = ("mysql_native_password", "ed25519", "unix_socket")
_ESCAPES = {"t": "\t", "n": "\n", "0": "\0", "\\": "\\"}
TABLES = "select table_name, table_type from information_schema.tables where table_schema = {0} order by 1"
SCHEMA = (
    "select table_name, column_name, ordinal_position, column_type, is_nullable, column_default, extra, collation_name,"
    " generation_expression from information_schema.columns where table_schema = {0}",
    "select table_name, index_name, seq_in_index, column_name, non_unique, sub_part, index_type"
    " from information_schema.statistics where table_schema = {0}",
    "select table_name, constraint_name, unique_constraint_name, update_rule, delete_rule, referenced_table_name"
    " from information_schema.referential_constraints where constraint_schema = {0}",
    "select table_name, constraint_name, check_clause from information_schema.check_constraints"
    " where constraint_schema = {0}",
    "select table_name, view_definition, check_option, definer, security_type from information_schema.views"
    " where table_schema = {0}",
    "select routine_name, routine_type, dtd_identifier, routine_definition, definer, security_type, sql_mode"
    " from information_schema.routines where routine_schema = {0}",
    "select trigger_name, event_manipulation, event_object_table, action_order, action_statement, action_timing,"
    " definer from information_schema.triggers where trigger_schema = {0}",
    "select event_name, event_definition, event_type, interval_value, interval_field, definer"
    " from information_schema.events where event_schema = {0}",
)
STEADY = "set time_zone = '+00:00', sql_mode = 'NO_BACKSLASH_ESCAPES', names utf8mb4;\n"
"""Settings that decide how a value reads as text, and how a text is quoted."""


def only(name):
    """The option that names the database of a program, or nothing."""
    return ["--database=" + name] if name else []


def value_of(told):
    """A value as the program writes it in a row; None for null."""
    if told == "NULL":
        return None
    return re.sub(r"\\([tn0\\])", lambda found: _ESCAPES[found[1]], told)


def trouble_of(name, said):
    """What a program's last words mean."""
    told = said.decode("utf-8", "replace").strip()
    cause = "database_failed"
    if "errno: 28" in told or "No space left" in told or "is full" in told:
        cause = "disk_full"
    elif "ERROR 2002" in told or "ERROR 2003" in told or "(2002)" in told or "Got error: 2002" in told:
        cause = "database_away"
    elif "ERROR 1049" in told or "Got error: 1049" in told:
        cause = "database_missing"
    return Trouble(cause, f"The MariaDB database {name}: {printable(told[-250:])}")


def text(value):
    """A text in a statement. Raises Trouble."""
    if "\0" in value:
        raise Trouble("parcel_damaged", "A word for MariaDB holds a character that it cannot.")
    return "'" + value.replace("'", "''") + "'"


def quoted(name):
    """A name in a statement. Raises Trouble."""
    if not name or "\0" in name or len(name) > 64:
        raise Trouble("parcel_damaged", "A name for MariaDB cannot be used.")
    return "`" + name.replace("`", "``") + "`"


def who(account):
    """An account in a statement."""
    return f"{text(account['user'])}@{text(account['host'])}"


def where(account):
    """The condition that finds an account."""
    return f"user = {text(account['user'])} and host = {text(account['host'])}"


def digest_of(rows):
    """A digest of rows whatever their order."""
    return hashlib.sha256(json.dumps(sorted(map(repr, rows))).encode("ascii")).hexdigest()[:16]
