"""The tables ``[[procedure]]`` of a policy file: how a runbook that moves a procedure finds all that belongs to it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.core.policy_entry import Entry, known_keys, tables_of, texts, whole
from orchestrator.core.procedures import InvalidProcedure, PartnerSettings, ProcedureSettings

PATHS = ("data", "programs", "databases", "postgresql", "mariadb", "configuration", "jobs", "switch_files")
COMMANDS = ("start", "stop", "running", "gateway_reload", "switch_reload", "quiet_begin", "quiet_end")
LISTS = (*PATHS, *COMMANDS, "reaches", "dns_names", "dns_secondaries")
TEXTS = (
    "name",
    "user",
    "unit",
    "path",
    "expect",
    "host",
    "gateway_file",
    "gateway_line",
    "postgresql_programs",
    "postgresql_account",
    "mariadb_programs",
    "mariadb_account",
    "mariadb_socket",
    "opens_at",
    "dns_server",
    "dns_key_file",
)
PORTS = ("port", "gateway_port", "postgresql_port")


def read_procedure(entry: Entry, zone: ZoneInfo) -> ProcedureSettings:
    """One table. Raises PolicyFileWrong."""
    known_keys(entry, (*LISTS, *TEXTS, *PORTS, "dns_ttl_s", "replace", "points_here"))
    values: dict[str, Any] = {key: texts(entry.at(key)) for key in LISTS if key in entry.value}
    values |= {key: _text(entry.at(key)) for key in TEXTS if key in entry.value}
    values |= {key: whole(entry.at(key), low=1, high=65535) for key in PORTS if key in entry.value}
    if "dns_ttl_s" in entry.value:
        values["dns_ttl_s"] = whole(entry.at("dns_ttl_s"), low=1, high=3600)
    if "replace" in entry.value:
        values["replace"] = _pairs(entry.at("replace"))
    if "points_here" in entry.value:
        values["points_here"] = tables_of(_partner)(entry.at("points_here"), zone)
    for needed in ("name", "data"):
        if not values.get(needed):
            entry.at(needed).wrong("it is needed")
    try:
        return ProcedureSettings(**values)
    except InvalidProcedure as cause:
        entry.at(str(cause.facts["key"])).wrong(str(cause.facts["why"]), cause=cause)


def _partner(entry: Entry, zone: ZoneInfo) -> PartnerSettings:
    """One table ``[[procedure.points_here]]``."""
    known_keys(entry, ("machine", "files", "reload", "port", "test"))
    machine = _text(entry.at("machine")) if "machine" in entry.value else ""
    if not machine.strip():
        entry.at("machine").wrong("it is needed")
    lists = {key: texts(entry.at(key)) for key in ("files", "reload", "test") if key in entry.value}
    port = whole(entry.at("port"), low=1, high=65535) if "port" in entry.value else 0
    return PartnerSettings(machine=machine, port=port, **{"files": (), **lists})


def _text(entry: Entry) -> str:
    if not isinstance(entry.value, str) or len(entry.value) > 1000:
        entry.wrong("a text is wanted")
    return entry.value


def _pairs(entry: Entry) -> tuple[tuple[str, str], ...]:
    """A table of old = new."""
    if not isinstance(entry.value, dict):
        entry.wrong("a table is wanted here")
    for old, new in entry.value.items():
        if not old or not isinstance(new, str):
            entry.at(old).wrong("a text is wanted")
    return tuple(sorted(entry.value.items()))


PROCEDURES_EXAMPLE = """
# What belongs to a procedure that is moved with its server (give the kind server the runbook move-procedure above). The
# name is that of the procedure in the inventory, whose `machines` name the old server. Paths are the same on both
# servers; commands are argument lists and run as root.
# [[procedure]]
# name = "Wohngeld"
# data = ["/srv/wohngeld"]                    # what users change; comes back when the move is taken back
# databases = ["/srv/wohngeld/wohngeld.db"]   # SQLite, within data
# postgresql = ["wohngeld"]                   # of the PostgreSQL on either server, with its owner and roles
# postgresql_port = 5432
# postgresql_account = "postgres"
# postgresql_programs = "/usr/lib/postgresql/15/bin"
# mariadb = ["wohngeld"]                      # of the MariaDB on either server, with its accounts
# mariadb_account = "mysql"
# mariadb_socket = "/run/mysqld/mysqld.sock"
# programs = ["/opt/wohngeld", "/etc/wohngeld.ini", "/etc/systemd/system/wohngeld.service"]
# configuration = ["/etc/wohngeld.ini"]       # here the old server's address becomes the new one's
# replace = { "alt.stadt.example" = "rz.stadt.example" }   # and these words
# jobs = ["/etc/cron.d/wohngeld"]             # run on one server only
# user = "wohngeld"
# unit = "wohngeld.service"                   # or start, stop and running: three commands
# port = 8080
# path = "/"                                  # what is asked as a user, and what must be in the answer
# expect = "Wohngeld"
# reaches = ["melderegister.stadt.example:8443", "mail.stadt.example:25"]   # as the old server does; asked of both
# gateway_file = "/etc/nginx/wohngeld.target" # on the machine with role gateway
# gateway_line = "proxy_pass http://{address}:8080;"
# gateway_reload = ["systemctl", "reload", "nginx"]
# gateway_port = 80
# switch_files = ["/etc/bind/db.stadt"]       # on the gateway too: here the old server's address becomes the new one's
# switch_reload = ["/usr/local/bin/zone-changed"]   # raises the zone's serial and reloads it
# dns_names = ["wohngeld.stadt.example"]      # what the authoritative name server must say before and after the switch
# dns_server = "192.0.2.53"                   # asked from the gateway; left out: the gateway itself
# dns_secondaries = ["192.0.2.54"]            # the zone's other name servers, which must follow
# dns_key_file = "/etc/kahn/dns.key"          # on the gateway, of tsig-keygen, chmod 600: Kahn changes the names itself
# dns_ttl_s = 60                              # so long resolvers keep them while it moves; the old time is waited out
# quiet_begin = ["/usr/local/bin/downtime", "begin", "wohngeld"]   # monitoring, on the gateway
# quiet_end = ["/usr/local/bin/downtime", "end", "wohngeld"]
# opens_at = "07:30"                          # asked once more then; until that hour the wave soaks
# [[procedure.points_here]]                   # another procedure's machine that leads to this one; one table for each
# machine = "srv-kasse"                       # its name in the inventory, with address, access and host key
# files = ["/etc/kasse/interface.conf"]       # there the old server's address becomes the new one's
# reload = ["systemctl", "reload", "kasse"]
# port = 8080                                 # tried from there, before and after; left out: the procedure's port
# test = ["/usr/local/bin/kasse-try"]         # tried instead of the port: ends with 0, and changes nothing
"""
