#!/usr/bin/python
"""Carries streams between two machines through the controller, with bounded memory and nothing half-done at the end."""

from __future__ import annotations

import hashlib
import json
import subprocess
from contextlib import suppress

from ansible.module_utils import kahn_home, kahn_outcome, kahn_parts, kahn_reached, kahn_skip, kahn_tree, kahn_unpack
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, printable
from ansible.module_utils.kahn_talk import KEPT, PAUSES_S, Kept, at, patiently, source_of

DOCUMENTATION = """
module: kahn_carry
short_description: Carries streams between two machines through the controller
description: Runs on the controller. Both ends are ssh argument lists to which a command is added.
options:
  source: {type: list, elements: str, required: true, description: ssh arguments of the sending machine}
  target: {type: list, elements: str, required: true, description: ssh arguments of the receiving machine}
  source_name: {type: str, default: source, description: Role of the sender, for causes}
  target_name: {type: str, default: target, description: Role of the receiver, for causes}
  loads:
    description: >-
      What is carried, in order. Each has a command (argument list at the sender) and either `file` (path at the
      receiver, replaced whole at the end) or `unpack` (arguments of the unpacking program). `limit` bounds the bytes,
      `partial_ok` accepts exit code 1 of the sender, `sha256` is the digest that must arrive. With `names` (a list
      at the sender, each ended by a zero byte, that the command is given as --files-from) an archive that broke off
      goes on where it broke off, within a file too if its beginning is the same as before; with `resume` the
      unpacking program goes on where it noted last that everything is on the disk.
    type: list
    elements: dict
    required: true
"""
CHUNK = 256 * 1024
_INTO_FILE = 'umask 077; mkdir -p "$(dirname "$1")" && cat > "$1.part" && sync "$1.part"'
_ONTO_FILE = 'umask 077; truncate -s "$2" "$1.part" && cat >> "$1.part" && sync "$1.part"'
_NAMED = 'from=$1 names=$2; shift 2; tail -z -n "+$from" "$names" | "$@" --files-from=-'
_PIECES = 'tail -c "+$2" "$1" | head -c "$3"; exec tail -c "+$4" "$1"'
_LEAST = 1024 * 1024
"""Bytes of a member that are worth going on behind."""
_UNPACKING = (kahn_outcome, kahn_tree, kahn_home, kahn_reached, kahn_unpack)
_KEEPS = ("_unreachable", "_failed")
"""Ends of causes after which what has arrived is worth keeping."""
_START = (
    "import json,sys,types\n"
    "i=sys.stdin.buffer\n"
    "w=json.loads(i.read(int(sys.argv[1])))\n"
    "for n,s in w['sources']:\n"
    "    m=sys.modules[n]=types.ModuleType(n)\n"
    "    exec(compile(s,n,'exec'),m.__dict__)\n"
    "import resource\n"
    "resource.setrlimit(resource.RLIMIT_AS,(m.MEMORY,m.MEMORY))\n"
    "a=m.answer(i,w['words'])\n"
    "print(json.dumps(a))\n"
    "sys.exit(3 if 'msg' in a else 0)\n"
)


def pour(sender, receiver, head=b"", limit=0, ok_codes=(0,)):
    """Stream from one argument list to another; what arrived and how both ended."""
    giving = subprocess.Popen(sender, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    taking = subprocess.Popen(receiver, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    notes = {"giving": Kept(giving.stderr), "taking": Kept(taking.stderr), "answer": Kept(taking.stdout, 65536)}
    digest, size, broken, over = hashlib.sha256(), 0, False, False
    try:
        try:
            taking.stdin.write(head)
            while True:
                piece = giving.stdout.read1(CHUNK)
                if not piece:
                    break
                digest.update(piece)
                size += len(piece)
                if limit and size > limit:
                    over = True
                    break
                taking.stdin.write(piece)
            if not over:
                taking.stdin.close()
        except BrokenPipeError:
            broken = True
        if over:
            taking.kill()
        if over or broken:
            giving.kill()
            giving.stdout.close()
            with suppress(BrokenPipeError):
                taking.stdin.close()
        codes = {"giving": giving.wait(), "taking": taking.wait()}
    finally:
        for one in (giving, taking):
            if one.poll() is None:
                one.kill()
                one.wait()
    return {
        "bytes": size, "sha256": digest.hexdigest(), "over": over, "broken": broken, "codes": codes,
        "gave": broken or codes["giving"] in ok_codes, **{name: note.text() for name, note in notes.items()},
    }  # fmt: skip


def blame(outcome, names):
    """Trouble for a stream that did not arrive whole, or None."""
    if outcome["over"]:
        return Trouble("source_too_large", f"The {names[0]} sent more than it had announced.")
    if not outcome["gave"]:
        return _blame_end(names[0], outcome["codes"]["giving"], outcome["giving"])
    if outcome["codes"]["taking"]:
        told = _parsed(outcome["answer"])
        if "msg" in told:
            return Trouble(str(told["kahn"].pop("cause", "os_error")), printable(str(told["msg"])), **told["kahn"])
        return _blame_end(names[1], outcome["codes"]["taking"], outcome["taking"])
    if outcome["broken"]:
        return Trouble(names[1] + "_failed", f"The {names[1]} stopped listening too early.")
    return None


def _parsed(answer):
    try:
        told = json.loads(answer.rsplit("\n", 1)[-1])
    except ValueError:
        return {}
    return told if isinstance(told, dict) and isinstance(told.get("kahn"), dict) else {}


def _blame_end(name, code, said):
    tail = printable(said[-200:])
    if "No space left on device" in said or "Disk quota exceeded" in said:
        cause = "vault_full" if name == "vault" else "disk_full"
        return Trouble(cause, f"The disk of the {name} is full.")
    if code == 255:
        return Trouble(name + "_unreachable", f"The {name} cannot be reached: {tail}")
    return Trouble(name + "_failed", f"The {name} ended with code {code}: {tail}")


def run(ssh, argv, name):
    """Run a short command at a machine; its output. Raises Trouble."""
    ended = subprocess.run(at(ssh, argv), stdin=subprocess.DEVNULL, capture_output=True)
    if ended.returncode:
        raise _blame_end(name, ended.returncode, ended.stderr.decode("utf-8", "replace"))
    return ended.stdout[:KEPT]


def program(modules, words):
    """(receiver's command, the bytes that go before the stream) of a program made of these; the last one answers."""
    sources = [(module.__name__.rsplit(".", 1)[-1], source_of(module)) for module in modules]
    head = json.dumps({"sources": sources, "words": words}).encode("ascii")
    return ["python3", "-B", "-c", _START, str(len(head))], head


def unpacking(words):
    """(receiver's command, the bytes that go before the stream) of the unpacking program."""
    return program(_UNPACKING, words)


def asked_of(ssh, modules, words, name):
    """What such a program answers that is sent nothing more. Raises Trouble."""
    command, head = program(modules, words)
    ended = subprocess.run(at(ssh, command), input=head, capture_output=True)
    told = _parsed(ended.stdout.decode("utf-8", "replace").strip())
    if ended.returncode or "msg" in told:
        raise _blame_end(name, ended.returncode, ended.stderr.decode("utf-8", "replace"))
    return told.get("kahn", {})


def carry_file(asked, load, names):
    """Carry one stream into a file that is replaced only when everything has arrived."""
    path, have = load["file"], 0
    try:
        outcome, have = _into_part(asked, load, names)
        trouble = blame(outcome, names)
        if trouble is None and load.get("sha256") and outcome["sha256"] != load["sha256"]:
            trouble = Trouble("archive_damaged", f"What the {names[0]} sent is not what was saved.")
        if trouble:
            raise trouble
        digest = _digest_there(asked, path, names) if have else outcome["sha256"]
        run(asked["target"], ["mv", "-f", path + ".part", path], names[1])
    except Trouble as trouble:
        if not (load.get("names") and trouble.cause.endswith(_KEEPS)):
            remove = at(asked["target"], ["rm", "-f", path + ".part"])
            subprocess.run(remove, stdin=subprocess.DEVNULL, capture_output=True)
        raise
    told = {"file": path, "bytes": have + outcome["bytes"], "sha256": digest}
    return dict(told, carried=outcome["bytes"], had=have)


def _into_part(asked, load, names):
    """(outcome of the stream, bytes that had arrived before): into the file's part, behind what it holds already."""
    if not load.get("names"):
        return _poured(asked, load, load["command"], 0), 0
    have = asked_of(asked["target"], (kahn_outcome, kahn_skip, kahn_parts), {"path": load["file"] + ".part"}, names[1])
    command = ["sh", "-c", _NAMED, "sh", str(have["count"] + 1), load["names"], *load["command"]]
    if have["behind"] >= _LEAST:
        start = have["offset"] + have["head"] + have["behind"]
        outcome = _poured(asked, load, kahn_skip.command_of(source_of(kahn_skip), have, command), start)
        if outcome["bytes"] or outcome["codes"]["giving"] != kahn_skip.OTHER:
            return outcome, start
    return _poured(asked, load, command, have["offset"]), have["offset"]


def _poured(asked, load, command, start):
    """The outcome of a stream that is put behind the first `start` bytes of the file's part."""
    path, limit = load["file"], int(load.get("limit") or 0)
    into = ["sh", "-c", _ONTO_FILE, "sh", path, str(start)] if start else ["sh", "-c", _INTO_FILE, "sh", path]
    return pour(
        at(asked["source"], command),
        at(asked["target"], into),
        limit=max(limit - start, 1) if limit else 0,
        ok_codes=(0, 1) if load.get("partial_ok") else (0,),
    )


def _digest_there(asked, path, names):
    """SHA-256 of a file that arrived in pieces, read where it lies. Raises Trouble."""
    told = run(asked["target"], ["sha256sum", "-b", path + ".part"], names[1]).decode("ascii", "replace").split()
    if not told or len(told[0].lstrip("\\")) != 64:
        raise Trouble(names[1] + "_failed", f"The {names[1]} gave no digest of what arrived.")
    return told[0].lstrip("\\")


def carry_unpacked(asked, load, names):
    """Carry one stream into the unpacking program at the target."""
    words, sending, had = load["unpack"], load["command"], {"offset": 0, "skip": []}
    if load.get("resume"):
        had = asked_of(asked["target"], _UNPACKING, dict(words, where=True), names[1])
        sending = _behind(load["command"], had["offset"], had["skip"])
    command, head = unpacking(dict(words, offset=had["offset"], skip=had["skip"]))
    outcome = pour(at(asked["source"], sending), at(asked["target"], command), head=head)
    trouble = blame(outcome, names)
    if trouble:
        raise trouble
    told = _parsed(outcome["answer"]).get("kahn", {})
    inside = had["skip"][1] - had["skip"][0] if had["skip"] else 0
    return dict(told, sha256=outcome["sha256"], carried=outcome["bytes"], had=had["offset"] + inside)


def _behind(command, offset, skip):
    """The command that sends an archive (the last word is its path) from `offset` on, but for what is skipped."""
    path = command[-1]
    if skip:
        places = str(offset + 1), str(skip[0] - offset), str(skip[1] + 1)
        return ["sh", "-c", _PIECES, "sh", path, *places]
    return ["tail", "-c", f"+{offset + 1}", path] if offset else command


def main():
    """Entry point."""
    ends = {"type": "list", "elements": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "source": ends,
            "target": ends,
            "source_name": {"type": "str", "default": "source"},
            "target_name": {"type": "str", "default": "target"},
            "loads": {"type": "list", "elements": "dict", "required": True},
        }
    )
    asked = module.params
    names = (asked["source_name"], asked["target_name"])

    def carry(load):
        one = carry_unpacked if load.get("unpack") else carry_file
        keeps = load.get("names") or load.get("resume")
        return patiently(lambda: one(asked, load, names), pauses=PAUSES_S if keeps else ())

    def act():
        return True, {"loads": [carry(load) for load in asked["loads"]]}

    conclude(module, act)


if __name__ == "__main__":
    main()
