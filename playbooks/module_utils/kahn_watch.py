"""Who still asks the old server after the switch: counted by its kernel, short and refused connections included.

Addresses of people's machines lie in the kernel's memory alone, each for a day after it asked last, and are gone with a
restart of the machine; nothing is written down. Python 3.9, standard library only; sent to the host as one program.
"""

from __future__ import annotations

import hashlib
import json
import subprocess

try:
    from ansible.module_utils.kahn_outcome import printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import printable

KEPT_S = 24 * 3600
MOST = 4096
"""Addresses that are told apart; further ones are not counted."""
COMMAND_S = 20
SETS = {"four": ("ipv4", "ipv4_addr", "ip"), "six": ("ipv6", "ipv6_addr", "ip6")}


class Watch:
    """The table of the packet filter that counts for one asset: who begins a connection to that port."""

    def __init__(self, asset, port):
        self.table, self._port = "kahn_" + hashlib.sha256(asset.encode()).hexdigest()[:12], port

    def begin(self):
        """Count from now on; what is counted already goes on. What keeps it from counting, or nothing."""
        lines = [f"add table inet {self.table}"]
        for name, (_, kind, _) in SETS.items():
            lines.append(f"add set inet {self.table} {name} {{ type {kind}; flags dynamic,timeout; size {MOST}; }}")
        # Before every filter: whoever is refused or dropped there has asked, too.
        lines.append(f"add chain inet {self.table} asked {{ type filter hook input priority -300; policy accept; }}")
        lines += [f"flush chain inet {self.table} asked", f'add rule inet {self.table} asked iifname "lo" return']
        for name, (family, _, word) in SETS.items():
            which = f"meta nfproto {family} tcp dport {self._port} tcp flags & (syn | ack) == syn"
            lines.append(f"add rule inet {self.table} asked {which} update @{name} "
                         f"{{ {word} saddr timeout {KEPT_S}s counter }}")  # fmt: skip
        code, said = _nft(["-f", "-"], "\n".join(lines) + "\n")
        return printable(said[-200:]) if code else ""

    def seen(self):
        """[[address, connections, seconds since the last]], the most connections first; None while nobody counts."""
        code, said = _nft(["-j", "list", "table", "inet", self.table])
        if code:
            return None
        try:
            sets = [one["set"] for one in json.loads(said)["nftables"] if "set" in one]
            found = [_row(elem["elem"]) for one in sets if one["name"] in SETS for elem in one.get("elem", [])]
        except (LookupError, TypeError, ValueError):
            return None
        return sorted(found, key=lambda row: (-row[1], row[0]))

    def end(self):
        """Count no longer, and forget who asked; whether that was counted at all."""
        return _nft(["delete", "table", "inet", self.table])[0] == 0


def _row(elem):
    return [str(elem["val"]), int(elem["counter"]["packets"]), max(0, int(elem["timeout"]) - int(elem["expires"]))]


def _nft(words, text=""):
    try:
        ended = subprocess.run(["nft", *words], input=text.encode(), capture_output=True, timeout=COMMAND_S, cwd="/")
    except OSError:
        return 127, "there is no program nft on it"
    except subprocess.TimeoutExpired:
        return 124, f"nft took more than {COMMAND_S} s"
    return ended.returncode, (ended.stdout if not ended.returncode else ended.stderr).decode("utf-8", "replace")


def _is_row(row):
    if not isinstance(row, list) or [type(one) for one in row] != [str, int, int]:
        return False
    return 0 <= row[1] < 2**53 and 0 <= row[2] <= KEPT_S


def told(rows, known, now, most=20):
    """What may be told of these rows on the controller: machines by the names of the inventory, others only counted.
    Times are whole seconds since 1970. The rows are a machine's word: what is none is left out."""
    machines, others = {}, [0, 0, 0]
    for address, count, ago_s in filter(_is_row, rows if isinstance(rows, list) else []):
        last = int(now) - ago_s
        if address in known:
            before = machines.get(known[address], [0, 0])
            machines[known[address]] = [before[0] + count, max(before[1], last)]
        else:
            others = [others[0] + 1, others[1] + count, max(others[2], last)]
    named = sorted(machines.items(), key=lambda one: (-one[1][0], one[0]))
    return {"machines": [{"name": name, "count": count, "last": last} for name, (count, last) in named[:most]],
            "more": max(0, len(named) - most),
            "others": {"addresses": others[0], "count": others[1], "last": others[2]}}  # fmt: skip


def answer(found, known, now):
    """What may be told of a machine's whole answer: the same with its beginning, or what keeps it from counting."""
    if found["why"]:
        return {"why": printable(str(found["why"]))}
    return dict(told(found["rows"], dict(known or ()), now), since=int(found["since"]))
