"""A hundred and more answers by which a hostile machine tries to speak for another one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Wrap = Callable[[str], bytes]


def runner_marker(event: Mapping[str, object], *, chunk: int = 0) -> str:
    """The bytes by which ansible-runner's own display plugin tells it of an event, in one piece or in several."""
    packed = base64.b64encode(json.dumps(event).encode()).decode()
    size = chunk or len(packed)
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    return "\x1b[K" + "".join(f"{piece}\x1b[{len(piece)}D" for piece in pieces) + "\x1b[K"


def spool_line(seq: int, host: str, kind: str, **fields: object) -> str:
    """A line of our own spool with a correct checksum, as the machine would like to write it."""
    content = {"seq": seq, "mono_ns": 1, "wall_us": 1, "kind": kind, "host": host, **fields}
    body = json.dumps(content, separators=(",", ":"))
    return f'{body[:-1]},"crc32":{binascii.crc32(body.encode())}}}'


def texts(number: int, victim: str, done_task: str) -> Iterator[str]:
    """What a text may hold: events of the victim in every form that anybody ever parsed."""

    def event(kind: str, **more: object) -> dict[str, object]:
        data = {"host": victim, "task": f"forged {number}", "remote_addr": victim, "res": {"changed": False}}
        return {"uuid": f"f{number:04}", "event": kind, "event_data": {**data, **more}}

    end = runner_marker({})
    for kind in ("runner_on_ok", "runner_on_failed", "runner_on_unreachable", "runner_on_skipped", "playbook_on_stats"):
        yield f"{runner_marker(event(kind))}\n{end}\n"
    yield f"x\r\n{runner_marker(event('runner_on_ok'), chunk=40)}\r\n{end}\r\n"
    yield runner_marker(event("runner_on_ok", task=done_task)) + end
    yield f"\n{spool_line(4, victim, 'done', part='done', task=done_task)}\n"
    both = spool_line(5, victim, "ok", part="step"), spool_line(6, victim, "done", part="done")
    yield "\r\n{}\r{}\r\n".format(*both)
    yield f"\x00{spool_line(3, victim, 'failed', part='step', rc=0)}\x00\n"
    yield f"\x1b]0;{victim} done\x07\x1b[2J\x1b[1;1Hok: [{victim}]\nPLAY RECAP\n{victim} : ok=9 changed=0\n"
    yield f"\u202e{victim}\u2028ok: [{victim}] => {{}}\n"


def answers(victim: str, done_task: str) -> tuple[bytes, ...]:
    """All answers: every text in every place of an answer, and structures that mean something to ansible itself."""
    found: list[bytes] = []
    places: tuple[Wrap, ...] = tuple(_PLACES.values())
    for place in places:
        for text in texts(len(found), victim, done_task):
            found.append(place(text))
    found += [_json(one) for one in _structures(victim, done_task)]
    return tuple(found)


def _json(answer: Mapping[str, Any]) -> bytes:
    return json.dumps({"changed": False, "ping": "pong", **answer}).encode()


_PLACES: Mapping[str, Wrap] = {
    "before the answer": lambda text: text.encode() + b"\n" + _json({}),
    "behind the answer": lambda text: _json({}) + b"\n" + text.encode(),
    "in place of the answer": lambda text: text.encode(),
    "message": lambda text: _json({"msg": text, "stdout": text, "stderr": text, "stdout_lines": [text]}),
    "failure": lambda text: _json({"failed": True, "msg": text, "exception": text, "module_stderr": text}),
    "warnings": lambda text: _json({"warnings": [text]}),
    "deprecations": lambda text: _json({"deprecations": [{"msg": text, "version": "9"}]}),
    "diff": lambda text: _json({"changed": True, "diff": {"before": text, "after": "", "before_header": text}}),
    "file name": lambda text: _json(
        {"path": text, "dest": f"/tmp/{text}", "invocation": {"module_args": {"path": text}}}
    ),
    "facts": lambda text: _json({"ansible_facts": {"kahn_text": text, text[:40]: 1}}),
}


def _structures(victim: str, done_task: str) -> Iterator[dict[str, Any]]:
    """Answers whose keys ansible or a callback could take for its own."""
    yield {"kahn": {"answer": "done", "host": victim}, "host": victim, "_host": victim, "task": done_task}
    yield {"_ansible_delegated_vars": {"ansible_host": victim, "inventory_hostname": victim}}
    yield {"_ansible_item_result": True, "_ansible_item_label": victim, "item": victim, "results": [{"host": victim}]}
    yield {"add_host": {"host_name": "intruder", "groups": ["kahn_moves"], "host_vars": {"kahn_asset": victim}}}
    yield {"add_group": "kahn_moves", "parent_groups": ["all"]}
    yield {
        "ansible_facts": {"kahn_asset": victim, "inventory_hostname": victim, "kahn_run": "x", "ansible_host": victim}
    }
    yield {"ansible_facts": {"ansible_connection": "local", "ansible_python_interpreter": "/bin/true"}}
    yield {"ansible_stats": {"data": {victim: 1}, "per_host": True, "aggregate": True}}
    yield {"_ansible_no_log": True, "censored": victim, "msg": victim}
    yield {"unreachable": False, "failed": False, "skipped": True, "skip_reason": victim}
    yield {"results": [{"kahn": {"answer": "done"}, "rc": 0, "item": victim}], "rc": 2**70}
    yield {"ansible_job_id": "1.1", "finished": 1, "started": 1, "host": victim}


def lying_python(directory: Path, told: tuple[bytes, ...]) -> Path:
    """An interpreter that runs nothing and gives the next of these answers each time, whatever it is asked."""
    for number, answer in enumerate(told):
        (directory / f"answer-{number}").write_bytes(answer)
    (directory / "next").write_text("0")
    (directory / "next").chmod(0o666)
    program = directory / "python"
    program.write_text(
        "#!/bin/sh\n"
        "[ -t 0 ] || cat > /dev/null\n"
        f"n=$(cat {directory}/next)\n"
        f"echo $((n + 1)) > {directory}/next\n"
        f"cat {directory}/answer-$n\n"
    )
    program.chmod(0o755)
    return program
