"""What a procedure consists of, as far as a runbook that moves it must know: paths, service, route, who asks how."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address

from inventory.errors import ExpectedError
from inventory.model import name_key
from orchestrator.core.canonical import LATER

PATH = re.compile(r"/[^/\0\n]+(/[^/\0\n]+)*")
UNIT = re.compile(r"[A-Za-z0-9_.@-]{1,100}\.service")
DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,50}")
INTERFACE = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,39}\]):[1-9][0-9]{0,4}")
NAME = re.compile(r"([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
TOO_MUCH = frozenset(
    {"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/run", "/sbin", "/srv"}
    | {"/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/var", "/var/cache", "/var/lib", "/var/log"}
    | {"/var/spool", "/var/lib/kahn", "/etc/systemd", "/etc/systemd/system", "/etc/cron.d"}
)
"""Directories that belong to the machine and are never moved as a whole."""
MOST_PARTNERS = 20


class InvalidProcedure(ExpectedError):
    """Settings of a procedure that cannot work."""

    code, says = "PLAN-014", "The procedure {name!r}: {key}: {why}."
    remedy = "Correct it under [[procedure]] in the policy file; `kahn tenant policy --example` explains every entry."
    exit_code = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSettings:
    """A machine of another procedure whose files name the old server. Checked with the procedure that it belongs to."""

    machine: str
    """Its name in the inventory."""
    files: tuple[str, ...]
    """Text files there in which the old server's address becomes the new one's."""
    reload: tuple[str, ...] = ()
    """Command there that makes their readers read them."""
    port: int = 0
    """What must accept a connection from there, before and after; 0: the procedure's port."""
    test: tuple[str, ...] = ()
    """Command there, asked instead of the port: it ends with 0 while the interface works, and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureSettings:
    """One procedure: what is carried, what is stopped and started, and where users come in. Raises InvalidProcedure.

    Paths are absolute and the same on both servers; commands are argument lists, run as root.
    """

    name: str
    data: tuple[str, ...]
    """Files and folders that users change: carried to the new server, and back when the move is taken back."""
    programs: tuple[str, ...] = ()
    """Files and folders that only administrators change: carried to the new server alone."""
    databases: tuple[str, ...] = ()
    """SQLite files within ``data``."""
    postgresql: tuple[str, ...] = ()
    """Names of PostgreSQL databases; both servers run a PostgreSQL of their own."""
    postgresql_port: int = 5432
    postgresql_account: str = "postgres"
    """The account under which the server runs and its superuser comes in."""
    postgresql_programs: str = ""
    """Folder of psql, pg_dump and pg_restore; empty: where programs are found."""
    configuration: tuple[str, ...] = ()
    """Text files within ``programs`` in which the old server's address becomes the new one's."""
    replace: tuple[tuple[str, str], ...] = ()
    """More words of the configuration: (old, new)."""
    jobs: tuple[str, ...] = ()
    """Files of cron, such as /etc/cron.d/NAME; they run on one server only."""
    user: str = ""
    """The service account, made on the new server with the same number."""
    unit: str = ""
    """The systemd unit; without one the three commands say how."""
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    """Ends with 0 while the service runs."""
    port: int = 0
    path: str = ""
    """What is asked by HTTP; empty: the port must only accept a connection."""
    expect: str = ""
    """Text that must be in the answer."""
    host: str = ""
    """Name in the question's Host line; empty: the address."""
    reaches: tuple[str, ...] = ()
    """Interfaces to others, host:port: what the old server reaches, the new one must reach."""
    gateway_file: str = ""
    """File on the gateway that says where it leads."""
    gateway_line: str = ""
    """Its one line, with {address} for the server's address."""
    gateway_reload: tuple[str, ...] = ()
    gateway_port: int = 0
    quiet_begin: tuple[str, ...] = ()
    """Command on the gateway that tells the monitoring of a downtime."""
    quiet_end: tuple[str, ...] = ()
    switch_files: tuple[str, ...] = field(default=(), metadata=LATER)
    """Files on the gateway (zones, hosts, others') in which the old server's address becomes the new one's."""
    switch_reload: tuple[str, ...] = field(default=(), metadata=LATER)
    """Command on the gateway that makes their readers read them."""
    mariadb: tuple[str, ...] = field(default=(), metadata=LATER)
    """Names of MariaDB databases; both servers run a MariaDB of their own."""
    mariadb_account: str = field(default="mysql", metadata=LATER)
    """The account under which the server runs; it comes in through the socket as its own superuser."""
    mariadb_socket: str = field(default="", metadata=LATER)
    """The server's socket; empty: the usual one."""
    mariadb_programs: str = field(default="", metadata=LATER)
    """Folder of mariadb and mariadb-dump; empty: where programs are found."""
    dns_names: tuple[str, ...] = field(default=(), metadata=LATER)
    """Names of the procedure that lead to its server: the authoritative name server must say so, before and after."""
    dns_server: str = field(default="", metadata=LATER)
    """Address of that name server as the gateway reaches it; empty: the gateway itself."""
    dns_secondaries: tuple[str, ...] = field(default=(), metadata=LATER)
    """Addresses of the zone's other authoritative name servers: they must say the same, with a newer zone."""
    dns_key_file: str = field(default="", metadata=LATER)
    """File on the gateway, root's alone, with the key (TSIG) by which records are changed; empty: they are not."""
    dns_ttl_s: int = field(default=60, metadata=LATER)
    """Seconds for which resolvers keep the names while it moves."""
    opens_at: str = field(default="", metadata=LATER)
    """When it is asked once more after its move, such as 07:30 in the zone of the policy; empty: never."""
    points_here: tuple[PartnerSettings, ...] = field(default=(), metadata=LATER)
    """Machines of other procedures that lead to the old server: re-pointed with the switch."""

    def __post_init__(self) -> None:
        self._check_paths()
        self._check_databases()
        self._check_service()
        self._check_gateway()
        self._check_switch()
        self._check_partners()
        for key in ("path", "host", "gateway_line", "gateway_file"):
            if not getattr(self, key).isprintable():
                self._wrong(key, "only printable characters, in one line")

    def _check_paths(self) -> None:
        for key in ("data", "programs", "databases", "configuration", "jobs"):
            for path in getattr(self, key):
                self._check_path(key, path)
        if not self.data:
            self._wrong("data", "at least one file or folder is wanted")
        for key, within in (("databases", self.data), ("configuration", self.programs)):
            for path in getattr(self, key):
                if not any(path == top or path.startswith(top + "/") for top in within):
                    self._wrong(key, f"{path} lies in none of the {'data' if key == 'databases' else 'programs'}")
        for path in self.jobs:
            if any(path == top or path.startswith(top + "/") for top in (*self.data, *self.programs)):
                self._wrong("jobs", f"{path} is carried as data or program already")

    def _check_databases(self) -> None:
        for key in ("postgresql", "mariadb"):
            for name in getattr(self, key):
                if not DATABASE.fullmatch(name):
                    self._wrong(key, f"{name!r} is no plain name of a database")
        for key in ("postgresql_programs", "mariadb_programs", "mariadb_socket"):
            if getattr(self, key):
                self._check_path(key, getattr(self, key))

    def _check_path(self, key: str, path: str) -> None:
        if not PATH.fullmatch(path) or any(word in (".", "..") for word in path.split("/")):
            self._wrong(key, f"{path!r} is no plain absolute path")
        if path in TOO_MUCH:
            self._wrong(key, f"{path} belongs to the machine as a whole")

    def _check_service(self) -> None:
        commands = (self.start, self.stop, self.running)
        if self.unit and any(commands):
            self._wrong("unit", "either a unit or the commands start, stop and running")
        if self.unit and not UNIT.fullmatch(self.unit):
            self._wrong("unit", f"{self.unit!r} is no unit such as wohngeld.service")
        if not self.unit and not all(commands):
            self._wrong("unit", "without a unit all of start, stop and running are needed")
        for key in ("user", "postgresql_account", "mariadb_account"):
            if getattr(self, key) and not ACCOUNT.fullmatch(getattr(self, key)):
                self._wrong(key, f"{getattr(self, key)!r} is no account name")

    def _check_gateway(self) -> None:
        for one in self.reaches:
            if not INTERFACE.fullmatch(one) or int(one.rsplit(":", 1)[1]) > 65535:
                self._wrong("reaches", f"{one!r} is no host:port")
        if not PATH.fullmatch(self.gateway_file):
            self._wrong("gateway_file", "the file on the gateway that says where it leads is needed")
        if "{address}" not in self.gateway_line:
            self._wrong("gateway_line", "a line with {address} in it is needed")
        if not self.gateway_reload:
            self._wrong("gateway_reload", "the command that makes the gateway read its file is needed")
        for key in ("port", "gateway_port", "postgresql_port"):
            if not 1 <= getattr(self, key) <= 65535:
                self._wrong(key, "a port from 1 to 65535 is needed")
        if self.path and not self.path.startswith("/"):
            self._wrong("path", "it begins with /")
        if self.opens_at and not HOUR.fullmatch(self.opens_at):
            self._wrong("opens_at", f"{self.opens_at!r} is no time of day such as 07:30")

    def _check_switch(self) -> None:
        for path in self.switch_files:
            self._check_path("switch_files", path)
            if path == self.gateway_file:
                self._wrong("switch_files", f"{path} is the gateway's own file")
        for name in self.dns_names:
            if not NAME.fullmatch(name) or len(name) > 253:
                self._wrong("dns_names", f"{name!r} is no plain name such as wohngeld.stadt.example")
        for key, addresses in (("dns_server", (self.dns_server,)), ("dns_secondaries", self.dns_secondaries)):
            for one in addresses:
                if one and not _is_address(one):
                    self._wrong(key, f"{one!r} is no IP address")
        self._check_updates()
        if self.switch_reload and not self.switch_files:
            self._wrong("switch_reload", "there are no switch_files that it could be for")

    def _check_updates(self) -> None:
        if self.dns_key_file:
            self._check_path("dns_key_file", self.dns_key_file)
        for key in ("dns_key_file", "dns_secondaries"):
            if getattr(self, key) and not self.dns_names:
                self._wrong(key, "there are no dns_names that it could be for")
        if not 1 <= self.dns_ttl_s <= 3600:
            self._wrong("dns_ttl_s", "from 1 to 3600 seconds")
        if len(set(self.dns_secondaries)) != len(self.dns_secondaries) or "" in self.dns_secondaries:
            self._wrong("dns_secondaries", "each name server once, by its address")

    def _check_partners(self) -> None:
        if len(self.points_here) > MOST_PARTNERS:
            self._wrong("points_here", f"more than {MOST_PARTNERS} machines")
        for one in self.points_here:
            if not one.files:
                self._wrong("points_here", f"{one.machine!r} needs the files that name the old server")
            for path in one.files:
                self._check_path("points_here", path)
            if not 0 <= one.port <= 65535:
                self._wrong("points_here", "a port from 1 to 65535 is needed")
        if len({name_key(one.machine) for one in self.points_here}) != len(self.points_here):
            self._wrong("points_here", "one machine stands there twice; name all its files at once")

    def _wrong(self, key: str, why: str) -> None:
        raise InvalidProcedure(name=self.name, key=key, why=why)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
