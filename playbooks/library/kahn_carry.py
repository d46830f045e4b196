#!/usr/bin/python
"""Carries streams between two machines through the controller, with bounded memory and nothing half-done at the end."""

from __future__ import annotations

import hashlib
import json
import subprocess
from contextlib import suppress

from ansible.module_utils import kahn_outcome, kahn_tree, kahn_unpack
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, printable
from ansible.module_utils.kahn_talk import KEPT, Kept, at, source_of

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
      `partial_ok` accepts exit code 1 of the sender, `sha256` is the digest that must arrive.
    type: list
    elements: dict
    required: true
"""
CHUNK = 256 * 1024
_INTO_FILE = 'umask 077; mkdir -p "$(dirname "$1")" && cat > "$1.part" && sync "$1.part"'
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


def unpacking(words):
    """(receiver's command, the bytes that go before the stream) of the unpacking program."""
    modules = {"kahn_outcome": kahn_outcome, "kahn_tree": kahn_tree, "kahn_unpack": kahn_unpack}
    sources = [(name, source_of(module)) for name, module in modules.items()]
    head = json.dumps({"sources": sources, "words": words}).encode("ascii")
    return ["python3", "-B", "-c", _START, str(len(head))], head


def carry_file(asked, load, names):
    """Carry one stream into a file that is replaced only when everything has arrived."""
    path = load["file"]
    try:
        outcome = pour(
            at(asked["source"], load["command"]),
            at(asked["target"], ["sh", "-c", _INTO_FILE, "sh", path]),
            limit=int(load.get("limit") or 0),
            ok_codes=(0, 1) if load.get("partial_ok") else (0,),
        )
        trouble = blame(outcome, names)
        if trouble is None and load.get("sha256") and outcome["sha256"] != load["sha256"]:
            trouble = Trouble("archive_damaged", f"What the {names[0]} sent is not what was saved.")
        if trouble:
            raise trouble
        run(asked["target"], ["mv", "-f", path + ".part", path], names[1])
    except Trouble:
        subprocess.run(at(asked["target"], ["rm", "-f", path + ".part"]), stdin=subprocess.DEVNULL, capture_output=True)
        raise
    return {"file": path, "bytes": outcome["bytes"], "sha256": outcome["sha256"]}


def carry_unpacked(asked, load, names):
    """Carry one stream into the unpacking program at the target."""
    command, head = unpacking(load["unpack"])
    outcome = pour(at(asked["source"], load["command"]), at(asked["target"], command), head=head)
    trouble = blame(outcome, names)
    if trouble:
        raise trouble
    return dict(_parsed(outcome["answer"]).get("kahn", {}), sha256=outcome["sha256"])


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

    def act():
        carried = [
            carry_unpacked(asked, load, names) if load.get("unpack") else carry_file(asked, load, names)
            for load in asked["loads"]
        ]
        return True, {"loads": carried}

    conclude(module, act)


if __name__ == "__main__":
    main()
