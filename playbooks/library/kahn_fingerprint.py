#!/usr/bin/python
"""Fingerprint of a machine before a wave, its comparison after a rollback, and portraits of it and its successor."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import conclude, store_of, write_whole
from ansible.module_utils.kahn_portrait import portrait
from ansible.module_utils.kahn_servers import Servers
from ansible.module_utils.kahn_tree import differences, digest_of_lines, line_of, read_records, walk

DOCUMENTATION = """
module: kahn_fingerprint
short_description: Fingerprint of a machine before a wave, its comparison after a rollback, and portraits
options:
  asset: {type: str, required: true, description: Asset id; names the directory below /var/lib/kahn}
  state:
    type: str
    choices: [taken, compared, portrayed]
    required: true
    description: What to do; `portrayed` only tells the portrait
  portrait: {type: bool, default: false, description: Tell the portrait together with the fingerprint (taken)}
  procedure:
    type: dict
    description: >-
      The procedure that runs here: its rows are counted, its answer is asked for; files of the database servers that it
      uses are left out, because they change while a server runs (the move compares what its databases hold)
  deep: {type: list, elements: str, description: Paths whose contents count}
  skip: {type: list, elements: str, description: Paths that the system itself changes}
  except: {type: list, elements: str, description: More paths to leave out}
  limit: {type: int, default: 50, description: Differences named at most}
"""
DEEP = ["/boot", "/etc", "/home", "/opt", "/root", "/srv", "/usr/local", "/var/lib", "/var/spool"]
SKIP = [
    "/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/mnt", "/media", "/lost+found",
    "/var/lib/kahn", "/var/lib/systemd", "/var/lib/dhcp", "/var/lib/NetworkManager", "/etc/resolv.conf", "/etc/adjtime",
]  # fmt: skip


def fingerprint(top="/", deep=DEEP, skip=SKIP, ports="/proc/net"):
    """Records of the whole system: contents where they count, else size and time; and what listens."""
    records = []
    for record in walk(top, skip=frozenset(skip), deep=deep):
        record["p"] = "/" + record["p"]
        if record["t"] == "d" and not record["p"].startswith("/home/"):
            record.pop("mt", None)
        records.append(record)
    records.extend({"p": one, "t": "port"} for one in listening(ports))
    return records


def listening(directory="/proc/net"):
    """Sockets that wait for others: TCP listeners and UDP below the ports given out by chance."""
    found = set()
    for name, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        try:
            with open(os.path.join(directory, name)) as opened:
                rows = [line.split() for line in opened][1:]
        except OSError:
            continue
        for row in rows:
            address, port = row[1].split(":")
            if row[3] == state and (name.startswith("tcp") or int(port, 16) < 32768):
                found.add(f"{name} {address} port {int(port, 16)}")
    return sorted(found)


def take(asset, records):
    """Keep the list on the machine and tell its digest and counts."""
    lines = [line_of(one) for one in records]
    write_whole(os.path.join(store_of(asset), "baseline"), lines)
    return True, {"baseline": digest_of_lines(lines), "counts": counts(records)}


def compare(asset, records, limit):
    """Compare with the kept list. The digests are of what was read and seen: the caller knows the right one."""
    before, digest = read_records(os.path.join(store_of(asset), "baseline"))
    said, count = differences(before, records, limit)
    now = digest_of_lines(line_of(one) for one in records)
    answer = {"equal": now == digest and not count, "baseline": digest, "now": now}
    return False, dict(answer, differences=said, difference_count=count)


def counts(records):
    """How many of each kind, and bytes."""
    return {
        "files": sum(one["t"] == "f" for one in records),
        "directories": sum(one["t"] == "d" for one in records),
        "links": sum(one["t"] == "l" for one in records),
        "ports": sum(one["t"] == "port" for one in records),
        "bytes": sum(one.get("s", 0) for one in records),
    }


def _kept_by_servers(asked):
    procedure = asked["procedure"]
    return Servers(procedure, store_of(asked["asset"])).directories() if procedure else []


def _portrait(asked):
    return portrait(asked["procedure"], store=store_of(asked["asset"]))


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["taken", "compared", "portrayed"], "required": True},
            "portrait": {"type": "bool", "default": False},
            "procedure": {"type": "dict"},
            "deep": {"type": "list", "elements": "str", "default": DEEP},
            "skip": {"type": "list", "elements": "str", "default": SKIP},
            "except": {"type": "list", "elements": "str", "default": []},
            "limit": {"type": "int", "default": 50},
        },
        supports_check_mode=False,
    )
    asked = module.params

    def act():
        if asked["state"] == "portrayed":
            return False, {"portrait": _portrait(asked)}
        records = fingerprint(deep=asked["deep"], skip=[*asked["skip"], *asked["except"], *_kept_by_servers(asked)])
        if asked["state"] == "taken":
            changed, told = take(asked["asset"], records)
            return changed, dict(told, portrait=_portrait(asked)) if asked["portrait"] else told
        return compare(asked["asset"], records, asked["limit"])

    conclude(module, act, working_for=asked["asset"])


if __name__ == "__main__":
    main()
