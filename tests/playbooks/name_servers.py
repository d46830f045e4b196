"""Real authoritative name servers on one lab host: BIND and Knot, either of them the primary, the other one follows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.lab.host import Host
from tests.scenarios.story import wait_until

PACKAGES = ("bind9", "bind9-dnsutils", "faketime", "knot")
PRIMARY, SECONDARY = "127.0.0.1", "127.0.0.2"
SECRET = "a2FobidzIGtleSBmb3IgdGVzdHMsIDMyIGJ5dGVzISE="
KEY_FILE = "/etc/kahn/dns.key"
KEY = 'key "kahn" {{\n\talgorithm hmac-sha256;\n\tsecret "{}";\n}};\n'
SETTINGS = f'dns_server = "{PRIMARY}"\ndns_secondaries = ["{SECONDARY}"]\ndns_key_file = "{KEY_FILE}"\ndns_ttl_s = 2\n'
PARTS = ("kahn_outcome", "kahn_names", "kahn_update")
_BIND = """{key}options {{ directory "/run/named"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no;
 dnssec-validation no; notify-source {address}; transfer-source {address}; }};
zone "stadt.example" {{ {zone} }};
"""
_BIND_FIRST = (
    'type primary; file "/run/named/zone"; notify explicit; also-notify {{ {second}; }}; '
    "allow-transfer {{ 127.0.0.0/8; }}; update-policy {{ {grants} }};"
)
_BIND_SECOND = 'type secondary; file "/run/named/copy"; primaries {{ {first}; }}; notify no;'
_KNOT = """server:
    listen: {address}@53
    rundir: /run/knot
    user: root:root
database:
    storage: /run/knot
"""
_KNOT_FIRST = """key:
  - id: kahn
    algorithm: hmac-sha256
    secret: {secret}
remote:
  - id: second
    address: {second}@53
    via: {first}
acl:
  - id: out
    address: 127.0.0.0/8
    action: transfer
  - id: kahn
    key: kahn
    action: update
    update-owner: name
    update-owner-match: equal
    update-owner-name: [{owners}]
zone:
  - domain: stadt.example
    storage: /run/knot
    file: zone
    acl: [kahn, out]
    notify: second
    zonefile-sync: 0
"""
_KNOT_SECOND = """remote:
  - id: first
    address: {first}@53
    via: {second}
acl:
  - id: told
    address: 127.0.0.0/8
    action: notify
zone:
  - domain: stadt.example
    storage: /run/knot
    master: first
    acl: told
"""


@dataclass
class NameServers:
    """Both servers of the zone stadt.example; ``kind`` is the primary: bind or knot."""

    host: Host
    kind: str
    granted: tuple[str, ...]
    """Names that the key may change."""
    records: str
    """Lines of the zone beside its head."""
    pids: dict[str, str] = field(default_factory=dict)

    def up(self) -> NameServers:
        """Both run, and the secondary has the zone."""
        for name in ("run/named", "run/knot", "etc/kahn"):
            (self.host.root / name).mkdir(parents=True, exist_ok=True)
        self.host.run("chown", "bind:", "/run/named")
        self.host.run("ip", "address", "add", f"{SECONDARY}/32", "dev", "lo")  # BIND listens only where one is
        self.key()
        head = "$ORIGIN stadt.example.\n@ 60 SOA ns hostmaster 100 3600 600 86400 60\n@ 60 NS ns\nns 60 A 127.0.0.1\n"
        where = "run/named/zone" if self.kind == "bind" else "run/knot/zone"
        (self.host.root / where).write_text(head + self.records)
        (self.host.root / "run/named/conf").write_text(self._bind())
        (self.host.root / "etc/knot.conf").write_text(self._knot())
        self.host.run("chown", "-R", "bind:", "/run/named")
        self.start(self.kind)
        wait_until(lambda: self.serial(PRIMARY) > 0, within_s=60, every_s=0.5)
        self.start("knot" if self.kind == "bind" else "bind")
        wait_until(lambda: self.serial(SECONDARY) > 0, within_s=60, every_s=0.5)
        return self

    def start(self, kind: str) -> None:
        """That server runs in the background."""
        if kind == "bind":
            self.host.run("named", "-u", "bind", "-c", "/run/named/conf")
        else:
            self.host.run("sh", "-c", "knotd -d -c /etc/knot.conf")

    def stop(self, kind: str) -> None:
        """That server is gone."""
        name = "named" if kind == "bind" else "knotd"
        self.host.run("sh", "-c", f"kill $(cat /proc/[0-9]*/stat | sed -n 's/^\\([0-9]*\\) ({name}) .*/\\1/p')")

    def key(self, secret: str = SECRET) -> None:
        """The key file on the gateway."""
        path = self.host.root / KEY_FILE.lstrip("/")
        path.write_text(KEY.format(secret))
        path.chmod(0o600)

    def _bind(self) -> str:
        grants = " ".join(f"grant kahn name {name}.stadt.example. A;" for name in self.granted)
        first = self.kind == "bind"
        zone = (_BIND_FIRST if first else _BIND_SECOND).format(first=PRIMARY, second=SECONDARY, grants=grants)
        key = KEY.format(SECRET) if first else ""
        return _BIND.format(key=key, address=PRIMARY if first else SECONDARY, zone=zone)

    def _knot(self) -> str:
        first = self.kind == "knot"
        words = {"first": PRIMARY, "second": SECONDARY, "secret": SECRET, "owners": ", ".join(self.granted)}
        own = (_KNOT_FIRST if first else _KNOT_SECOND).format(**words)
        return _KNOT.format(address=PRIMARY if first else SECONDARY) + own

    # -- asked by a program of its own on that host

    def told(self, server: str, name: str) -> tuple[list[str], int]:
        """(addresses, seconds to live) of a name at a server, by BIND's own program."""
        lines = self._dig(server, name, "A")
        return sorted(one[4] for one in lines if one[3] == "A"), int(lines[0][1]) if lines else 0

    def serial(self, server: str) -> int:
        """The zone's serial there; 0 while it has none."""
        lines = self._dig(server, "stadt.example", "SOA")
        return int(lines[0][6]) if lines else 0

    def _dig(self, server: str, name: str, kind: str) -> list[list[str]]:
        asked = f"dig +norecurse +noall +answer +time=2 +tries=1 @{server} {name} {kind} || true"
        return [line.split() for line in self.host.run("sh", "-c", asked).splitlines() if line and line[0] != ";"]

    def program(self, text: str) -> Any:
        """What a program says that has Kahn's own parts at hand, as the gateway has."""
        place = self.host.root / "run/parts"
        place.mkdir(exist_ok=True)
        for name in PARTS:
            (place / f"{name}.py").write_text((SHIPPED / "module_utils" / f"{name}.py").read_text())
        return json.loads(self.host.run("python3", "-B", "-c", f"import sys; sys.path.insert(0, '/run/parts')\n{text}"))
