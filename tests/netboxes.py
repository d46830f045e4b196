"""A NetBox-shaped server on loopback: answers in the shapes that NetBox 4.7 was seen to give, over a small estate.

It also does what a real one was seen to do badly: cuts long pages without a word, ignores unknown filters with status
200, answers 403 where others say 401. ``faults`` makes the next answers go wrong.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

V1, V2 = "0123456789abcdef0123456789abcdef01234567", "nbt_abcdefghijkl.secretsecretsecretsecretsecretsecretsecret1"
TYPES = {
    "dcim/devices": "dcim.device",
    "virtualization/virtual-machines": "virtualization.virtualmachine",
    "dcim/sites": "dcim.site",
    "ipam/services": "ipam.service",
    "ipam/ip-addresses": "ipam.ipaddress",
    "dcim/mac-addresses": "dcim.macaddress",
    "dcim/device-roles": "dcim.devicerole",
    "dcim/device-types": "dcim.devicetype",
    "dcim/manufacturers": "dcim.manufacturer",
    "dcim/platforms": "dcim.platform",
    "dcim/locations": "dcim.location",
    "virtualization/clusters": "virtualization.cluster",
    "tenancy/contact-assignments": "tenancy.contactassignment",
    "core/object-changes": "core.objectchange",
    "extras/journal-entries": "extras.journalentry",
    "extras/custom-fields": "extras.customfield",
    "extras/custom-field-choice-sets": "extras.customfieldchoiceset",
}
Row = dict[str, Any]
Fault = Callable[[BaseHTTPRequestHandler], bool]
"""Answers in place of the server; False lets the server answer all the same."""


def _on(type_: str, name: str) -> Callable[[Row, list[str]], bool]:
    def fits(row: Row, said: list[str]) -> bool:
        if "assigned_object" in row:
            return str((row["assigned_object"].get(name) or {}).get("id")) in said
        return row["parent_object_type"] == type_ and str(row["parent_object_id"]) in said

    return fits


FILTERS: Mapping[str, Callable[[Row, list[str]], bool]] = {
    "id__gt": lambda row, said: row["id"] > int(said[0]),
    "id__lte": lambda row, said: row["id"] <= int(said[0]),
    "id": lambda row, said: str(row["id"]) in said,
    "tenant": lambda row, said: (row.get("tenant") or {}).get("slug") in said,
    "last_updated__gte": lambda row, said: row["last_updated"] >= said[0],
    "action": lambda row, said: row["action"]["value"] in said,
    "device_id": _on("dcim.device", "device"),
    "virtual_machine_id": _on("virtualization.virtualmachine", "virtual_machine"),
    "object_type": lambda row, said: row["object_type"] in said,
    "object_id": lambda row, said: str(row["object_id"]) in said,
    "assigned_object_id": lambda row, said: str(row["assigned_object_id"]) in said,
}


def nested(number: int, name: str, **more: Any) -> Row:
    return {"id": number, "url": f"http://netbox.test/api/x/{number}/", "display": name, "name": name, **more}


@dataclass
class Netbox:
    """The estate and how the server behaves."""

    tables: dict[str, dict[int, Row]] = field(default_factory=lambda: {path: {} for path in TYPES})
    page_size: int = 1_000
    version: str = "4.7"
    now: datetime = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    ignores: set[str] = field(default_factory=set)
    forbids: set[str] = field(default_factory=set)
    faults: deque[Fault] = field(default_factory=deque)
    asked: list[tuple[str, str, dict[str, list[str]]]] = field(default_factory=list)
    url: str = ""

    def writes(self) -> list[tuple[str, str]]:
        """Verb and path of everything that was not only read."""
        return [(verb, path) for verb, path, _query in self.asked if verb != "GET"]

    def put(self, path: str, row: Row) -> Row:
        """A row as if somebody had saved it now."""
        table = self.tables[path]
        number = int(row.get("id") or max(table, default=0) + 1)
        stamped = {"custom_fields": {}, "created": self.stamp(), **row, "id": number, "last_updated": self.stamp()}
        table[number] = {"url": f"{self.url}/api/{path}/{number}/", **stamped}
        return table[number]

    def delete(self, path: str, number: int) -> None:
        """Remove the row and note it in the change log."""
        del self.tables[path][number]
        change = {"action": {"value": "delete", "label": "Deleted"}, "changed_object_type": TYPES[path]}
        self.put("core/object-changes", {**change, "changed_object_id": number})

    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def device(self, name: str | None, **more: Any) -> Row:
        """A device with the usual fields."""
        tenant = nested(1, "Stadt", slug="stadt")
        base = {
            "name": name,
            "role": nested(1, "Arbeitsplatz", slug="workstation"),
            "device_type": {
                "id": 2,
                "display": "Kontor 200",
                "manufacturer": nested(2, "Werkbank"),
                "model": "Kontor 200",
            },
            "tenant": tenant,
            "site": nested(1, "Rathaus", slug="rathaus"),
            "location": None,
            "platform": nested(3, "Windows 7", slug="win7"),
            "serial": "",
            "asset_tag": None,
            "primary_ip": None,
            "status": {"value": "active", "label": "Active"},
            "description": "",
            "cluster": None,
            "comments": "",
            "config_context": {},
        }
        return self.put("dcim/devices", {**base, **more})

    def vm(self, name: str, **more: Any) -> Row:
        """A virtual machine with the usual fields."""
        base = {
            "name": name,
            "role": nested(2, "Server", slug="server"),
            "tenant": nested(1, "Stadt", slug="stadt"),
            "site": nested(1, "Rathaus", slug="rathaus"),
            "platform": nested(4, "Debian 12", slug="debian-12"),
            "serial": "",
            "primary_ip": None,
            "status": {"value": "active", "label": "Active"},
            "description": "",
            "cluster": nested(1, "rz-cl1"),
            "vcpus": 2.0,
            "memory": 4096,
            "disk": 51200,
            "device": None,
        }
        return self.put("virtualization/virtual-machines", {**base, **more})

    def service(self, name: str, parent: int, *, type_: str = "dcim.device") -> Row:
        """A service on a machine."""
        row = {"name": name, "parent_object_type": type_, "parent_object_id": parent, "port_mappings": ["tcp/443"]}
        return self.put("ipam/services", row)

    def site(self, name: str, **more: Any) -> Row:
        """A site."""
        return self.put("dcim/sites", {"name": name, "tenant": None, "facility": "", "description": "", **more})

    def address(self, text: str, *, device: int) -> Row:
        """An address on a device's own interface."""
        holder = {"id": 9, "device": nested(device, "of")}
        return self.put("ipam/ip-addresses", {"address": text, "dns_name": "", "assigned_object": holder})

    def mac(self, text: str, number: int, *, holder: str = "device") -> Row:
        """A hardware address on an interface of a device or, ``virtual_machine``, of a machine."""
        assigned = {"id": 9, "name": "eth0", holder: nested(number, "of")}
        return self.put("dcim/mac-addresses", {"mac_address": text, "assigned_object": assigned})

    def contact(
        self, number: int, contact: int, *, type_: str = "dcim.device", priority: str = "primary", role: str = "Betrieb"
    ) -> Row:
        """Who is asked about an object."""
        who = nested(contact, "Meier, Anna", email="anna.meier@stadt.example")
        row = {"object_type": type_, "object_id": number, "contact": who, "role": nested(1, role)}
        return self.put("tenancy/contact-assignments", {**row, "priority": {"value": priority, "label": priority}})

    # ----------------------------------------------------------------------- answering

    def listed(self, path: str, query: Mapping[str, list[str]]) -> Row:
        """One page, filtered as far as the server knows the filters."""
        rows = [row for row in self.tables[path].values() if self._fits(row, query)]
        last_first = query.get("ordering") == ["-id"]
        rows.sort(key=lambda row: int(row["id"]), reverse=last_first)
        wanted = int(query.get("limit", ["50"])[0]) or self.page_size
        page = rows[: min(wanted, self.page_size)]
        if "fields" in query:
            names = query["fields"][0].split(",")
            page = [{name: row[name] for name in names if name in row} for row in page]
        further = f"{self.url}/api/{path}/?limit={wanted}&offset={len(page)}" if len(page) < len(rows) else None
        return {"count": len(rows), "next": further, "previous": None, "results": page}

    def _fits(self, row: Row, query: Mapping[str, list[str]]) -> bool:
        """Unknown filters, and those it ignores, let everything through."""
        asked = ((name, said) for name, said in query.items() if name not in self.ignores)
        return all(FILTERS[name](row, said) for name, said in asked if name in FILTERS)

    def patched(self, path: str, changes: list[Row]) -> tuple[int, object]:
        """Bulk update: all or nothing."""
        known = {row["name"] for row in self.tables["extras/custom-fields"].values()}
        for at, change in enumerate(changes):
            if "name" in change or "status" in change:
                raise AssertionError("nobody but NetBox's people may change that")
            if change.get("id") not in self.tables[path]:
                return 400, {"errors": [{"index": at, "errors": {"id": ["not found"]}}]}
            if unknown := set(change.get("custom_fields", {})) - known:
                return 400, {"errors": [{"id": change["id"], "errors": {"custom_fields": sorted(unknown)}}]}
        for change in changes:
            row = self.tables[path][change["id"]]
            custom = {**row["custom_fields"], **change.get("custom_fields", {})}
            self.put(path, {**row, **{k: v for k, v in change.items() if k in row}, "custom_fields": custom})
        return 200, [self.tables[path][change["id"]] for change in changes]


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the acknowledgement of its headers
    netbox: Netbox

    def log_message(self, *_words: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        """Lists."""
        self._answer()

    def do_PATCH(self) -> None:
        """Bulk updates."""
        self._answer()

    def do_POST(self) -> None:
        """Bulk creation."""
        self._answer()

    def _answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        path = parts.path.removeprefix("/api/").strip("/")
        self.netbox.asked.append((self.command, path, query))
        if self.netbox.faults and self.netbox.faults.popleft()(self):
            return
        said = self.headers.get("Authorization", "")
        if said not in (f"Token {V1}", f"Bearer {V2}"):
            self.say(403, {"detail": "Invalid v2 token" if said.startswith("Bearer") else "Invalid v1 token"})
        elif path in self.netbox.forbids or f"{self.command} {path}" in self.netbox.forbids:
            self.say(403, {"detail": "You do not have permission to perform this action."})
        elif path not in TYPES:
            self.say(404, "<html>Page Not Found</html>", kind="text/html")
        elif self.command == "GET":
            self.say(200, self.netbox.listed(path, query))
        elif self.command == "PATCH":
            self.say(*self.netbox.patched(path, body))
        else:
            made = [self.netbox.put(path, row) for row in (body if isinstance(body, list) else [body])]
            self.say(201, made if isinstance(body, list) else made[0])

    def say(self, status: int, body: object, *, kind: str = "application/json", **headers: str) -> None:
        """One answer."""
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Date", format_datetime(self.netbox.now, usegmt=True))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("API-Version", self.netbox.version)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)


def saying(status: int, body: object = "", **headers: str) -> Fault:
    """A fault that answers something else."""

    def fault(handler: BaseHTTPRequestHandler) -> bool:
        kind = "application/json" if not isinstance(body, str) else "text/html"
        handler.say(status, body, kind=kind, **headers)  # type: ignore[attr-defined]
        return True

    return fault


def hanging_up(handler: BaseHTTPRequestHandler) -> bool:
    """A fault that closes the connection without an answer."""
    handler.close_connection = True
    return True


def silently_done(handler: BaseHTTPRequestHandler) -> bool:
    """A fault that does what was asked and then breaks off: the client cannot know."""
    handler.close_connection = True
    handler.wfile = _Nowhere()  # type: ignore[assignment]
    return False


def well(_handler: BaseHTTPRequestHandler) -> bool:
    """No fault: the next answer is a good one."""
    return False


class _Nowhere:
    closed = False

    def write(self, content: bytes) -> int:
        """Swallowed."""
        return len(content)

    def flush(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


@contextmanager
def running(netbox: Netbox) -> Iterator[Netbox]:
    """The server, listening while the context is open."""
    handler = type("Answers", (_Answers,), {"netbox": netbox})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        netbox.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield netbox
        finally:
            server.shutdown()
            thread.join(5)


def secrets_in(text: str) -> list[str]:
    """Tokens that stand in the text."""
    return [token for token in (V1, V2) if re.search(re.escape(token), text)]
