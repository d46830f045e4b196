"""Stands in for ansible-playbook where no real host is possible: simulated machines, everything else real.

Run as the program ``ansible-playbook`` of a state directory, it plays nothing: it keeps each machine as a small file,
``<state>/hosts/<asset>.json``, and what was done to it line by line in ``<asset>.ledger``. Spool, locks and receipts
are those of a real run. ``<asset>.fault`` holds a machine's trouble: ``unreachable STEP`` or ``failed STEP CAUSE``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

PLUGIN = Path(__file__).resolve().parents[2] / "playbooks" / "plugins" / "callback" / "kahn_spool.py"
SAYS = "simulated machines, no ansible at all"
PORTRAIT = {"sections": {"ports": [{"tcp 22": "sshd, any address"}]}, "unread": {}, "left_out": {}}
"""What every machine tells of itself before and after."""


def install(place: Path) -> Path:
    """A program that starts this file, to be named as ``ansible_playbook`` in the configuration."""
    program = place / "ansible-playbook"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {Path(__file__).resolve()} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def is_stand_in(program: Path) -> bool:
    """Whether that program is such a one, and no Ansible."""
    try:
        with program.open("rb") as opened:
            return str(Path(__file__).resolve()).encode() in opened.read(4_096)
    except OSError:
        return False


def spool_plugin() -> Any:
    """The callback plugin, loaded without ansible."""
    callback = types.ModuleType("ansible.plugins.callback")
    callback.CallbackBase = object  # type: ignore[attr-defined]
    for name in ("ansible", "ansible.plugins"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["ansible.plugins.callback"] = callback
    spec = importlib.util.spec_from_file_location("kahn_spool", PLUGIN)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Play:
    """One run, in the working directory."""

    def __init__(self) -> None:
        self.manifest = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
        self.once = "kahn_claim" in Path("run.yml").read_text(encoding="utf-8")
        self.hosts = Path.cwd().parents[1] / "hosts"
        self.hosts.mkdir(exist_ok=True)
        self.plugin = spool_plugin()
        self.alive = self.plugin._hold_alive(str(Path.cwd() / "alive.lock"), closed=str(Path.cwd() / "closed"))
        self.spool = self.plugin.Spool(str(Path.cwd() / "spool.jsonl"))

    def line(self, kind: str, host: str = "", **fields: Any) -> None:
        """One line of the spool, synced as the plugin does it."""
        self.spool.write(kind, host=host, fields=fields, sync=kind != "ok")

    def host(self, asset: str, attempt: str) -> int:
        """Contact or claim, step, proof. An exit code as of ansible."""
        step, direction = self.manifest["step"], self.manifest["direction"]
        first = "kahn_claim" if self.once else "kahn_reach"
        self.line("task_start", asset, part="claim", task=first)
        what, cause = self.trouble(asset)
        if what == "unreachable":
            self.line("unreachable", asset, part="claim", task=first)
            return 4
        if self.once and not self.claimed(asset, attempt):
            self.line("failed", asset, part="claim", task=first, rc=76)
            return 2
        self.line("ok", asset, part="claim", task=first)
        self.line("task_start", asset, part="step", task=step)
        with self.plugin.boundary("effect.on.host"):
            report = self.act(asset, attempt, step, direction)
        if what == "failed":
            self.line("failed", asset, part="step", task=step, kahn={"cause": cause})
            return 2
        self.line("ok", asset, part="step", task=step, kahn=report)
        self.line("done", asset, part="done", task="kahn_done")
        return 0

    def trouble(self, asset: str) -> tuple[str, str]:
        """The machine's trouble at this step of its way forward, and its cause."""
        path = self.hosts / f"{asset}.fault"
        words = path.read_text(encoding="utf-8").split() if path.exists() else []
        if self.manifest["direction"] not in ("do", "baseline") or words[1:2] != [self.manifest["step"] or "baseline"]:
            return "", ""
        return words[0], words[2] if len(words) > 2 else "task_failed"

    def claimed(self, asset: str, attempt: str) -> bool:
        """The claim of real machines: no other attempt has begun that the books do not know to be over."""
        state = self.state(asset)
        settled = next(one["settled"] for one in self.manifest["attempts"] if one["id"] == attempt)
        if state["epoch"] > self.manifest["epoch"] or (state["begun"] and state["begun"] not in settled):
            return False
        self.keep(asset, state | {"epoch": self.manifest["epoch"], "begun": attempt})
        return True

    def act(self, asset: str, attempt: str, step: str, direction: str) -> dict[str, Any]:
        """What the step does to its machine, and what it reports."""
        state = self.state(asset)
        looks_only = direction == "do" and len(self.manifest["playbooks"]) == 1  # nothing to verify behind it
        if direction in ("do", "undo") and not looks_only:
            steps = [one for one in state["steps"] if one != step] + ([step] if direction == "do" else [])
            with (self.hosts / f"{asset}.ledger").open("a", encoding="utf-8") as ledger:
                ledger.write(f"{direction} {step} {attempt}\n")
            self.keep(asset, state | {"steps": steps})
        digest = "d-" + "-".join(state["steps"])
        if direction == "baseline":
            self.keep(asset, state | {"baseline": digest})
        answer = "done" if step in state["steps"] else "not_done"
        report = {"baseline": state["baseline"] or digest, "now": digest, "equal": True, "answer": answer}
        return report | ({"portrait": PORTRAIT} if direction in ("baseline", "after") else {})

    def state(self, asset: str) -> dict[str, Any]:
        """What was done to the machine."""
        path = self.hosts / f"{asset}.json"
        empty: dict[str, Any] = {"steps": [], "epoch": 0, "begun": "", "baseline": ""}
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else empty

    def keep(self, asset: str, state: dict[str, Any]) -> None:
        """Keep it whole or not at all."""
        new = self.hosts / f"{asset}.new"
        new.write_text(json.dumps(state), encoding="utf-8")
        new.replace(self.hosts / f"{asset}.json")


def main(words: list[str]) -> int:
    """Play the run in the working directory, or say what this is."""
    if "--version" in words:
        sys.stdout.write(SAYS + "\n")
        return 0
    play = Play()
    play.line("run_start", run=play.manifest["run"], pid=os.getpid())
    codes = [play.host(one["asset"], one["id"]) for one in play.manifest["attempts"]]
    play.line("stats")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
