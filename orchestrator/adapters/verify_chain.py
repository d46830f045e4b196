"""Checks an exported journal chain with nothing but Python's standard library.

    python verify_chain.py CHAIN.jsonl [HEAD]

Each line is a JSON object: ``tenant``, ``seq``, ``hash``, ``canonical`` (the entry's bytes as text) and ``texts`` (free
texts that were not redacted, each with its salt). The hash is SHA-256 over the canonical bytes, which name the hash of
the entry before; the first one names 64 zeros. HEAD is the last hash as written down elsewhere: without it, entries
missing at the end cannot be noticed. Exit code 0: whole; 9: broken; 2: cannot be read.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from typing import Any

GENESIS = "0" * 64


def check_chain(lines: Iterable[str], *, head: str = "") -> tuple[int, int, str, str]:
    """(whole entries, line where it breaks or 0, why, last hash) of the exported lines."""
    previous, tenant, number = GENESIS, None, 0
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            content = json.loads(entry["canonical"])
            tenant = entry["tenant"] if tenant is None else tenant
            why = _fault(entry, content, place=(tenant, number, previous))
        except (ValueError, KeyError, TypeError, AttributeError) as cause:
            why = f"it cannot be read ({type(cause).__name__})"
        if why:
            return number - 1, number, why, previous
        previous = entry["hash"]
    if head and head != previous:
        return number, number + 1, f"the chain should end with {head}", previous
    return number, 0, "", previous


def _fault(entry: dict[str, Any], content: dict[str, Any], *, place: tuple[str | None, int, str]) -> str:
    """What is wrong with one entry at its place (tenant, seq, previous hash); empty when nothing is."""
    if hashlib.sha256(entry["canonical"].encode()).hexdigest() != entry["hash"]:
        return "its bytes do not match its hash"
    if content["v"] != 1:
        return "it is of an unknown version"
    if (content["tenant"], content["seq"]) != (entry["tenant"], entry["seq"]):
        return "its bytes name another tenant or number than the line"
    if (content["tenant"], content["seq"], content["previous"]) != place:
        return "it does not follow the entry before"
    for name, kept in entry["texts"].items():
        found = hashlib.sha256(bytes.fromhex(kept["salt"]) + kept["text"].encode()).hexdigest()
        if content["texts"].get(name) != found:
            return f"its text {name!r} does not match its hash"
    return ""


def main(arguments: list[str]) -> int:
    """The command line."""
    if len(arguments) not in (1, 2):
        sys.stderr.write((__doc__ or "") + "\n")
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as lines:
            whole, broken_at, why, last = check_chain(lines, head=arguments[1] if len(arguments) == 2 else "")
    except (OSError, UnicodeDecodeError) as cause:
        sys.stderr.write(f"{arguments[0]} cannot be read: {cause}\n")
        return 2
    if broken_at:
        sys.stdout.write(f"BROKEN at entry {broken_at}: {why} ({whole} entries before it are whole)\n")
        return 9
    sys.stdout.write(f"whole: {whole} entries, last hash {last}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
