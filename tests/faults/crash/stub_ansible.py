"""Stands in for ansible-playbook in the crash sweep: real spool, real locks, one small state file for each host.

Reads the run's manifest, plays contact, step and proof on each host in turn, and keeps what it did to a host in
``<state>/hosts/<asset>.json`` and, line by line, in ``<state>/hosts/<asset>.ledger``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

PLUGIN = Path(__file__).resolve().parents[3] / "playbooks" / "plugins" / "callback" / "kahn_spool.py"


def the_plugin() -> Any:
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
    """One run."""

    def __init__(self) -> None:
        self.manifest = json.loads(Path("manifest.json").read_text())
        self.hosts = Path.cwd().parents[1] / "hosts"
        self.plugin = the_plugin()
        self.alive = self.plugin._hold_alive(os.environ["KAHN_ALIVE"], closed=os.environ["KAHN_CLOSED"])
        self.spool = self.plugin.Spool(os.environ["KAHN_SPOOL"])

    def line(self, kind: str, host: str = "", **fields: Any) -> None:
        """One line of the spool, synced as the plugin does it."""
        self.spool.write(kind, host=host, fields=fields, sync=kind != "ok")

    def host(self, asset: str, attempt: str) -> int:
        """Contact or claim, step, receipt, proof. The task's exit code."""
        step, direction = self.manifest["step"], self.manifest["direction"]
        self.line("task_start", asset, part="claim", task="kahn_claim")
        if direction == "do" and not self.claimed(asset, attempt):
            self.line("failed", asset, part="claim", task="kahn_claim", rc=76)
            return 2
        self.line("ok", asset, part="claim", task="kahn_claim")
        self.line("task_start", asset, part="step", task=step)
        with self.plugin.boundary("effect.on.host"):
            report = self.act(asset, attempt, step, direction)
        failed = direction == "do" and (self.hosts / "fails").exists()
        self.line("failed" if failed else "ok", asset, part="step", task=step, kahn=report)
        if failed:
            return 2
        self.line("done", asset, part="done", task="kahn_done")
        return 0

    def claimed(self, asset: str, attempt: str) -> bool:
        """The claim of real hosts: no other attempt has begun that the books do not know to be over."""
        state = self.state(asset)
        settled = next(one["settled"] for one in self.manifest["attempts"] if one["id"] == attempt)
        if state["epoch"] > self.manifest["epoch"] or (state["begun"] and state["begun"] not in settled):
            return False
        self.keep(asset, state | {"epoch": self.manifest["epoch"], "begun": attempt})
        return True

    def act(self, asset: str, attempt: str, step: str, direction: str) -> dict[str, Any]:
        """What the step does to its host, and what it reports."""
        state = self.state(asset)
        if direction in ("do", "undo"):
            steps = [one for one in state["steps"] if one != step] + ([step] if direction == "do" else [])
            with (self.hosts / f"{asset}.ledger").open("a") as ledger:
                ledger.write(f"{direction} {step} {attempt}\n")
            self.keep(asset, state | {"steps": steps})
        digest = "d-" + "-".join(state["steps"])
        if direction == "baseline":
            self.keep(asset, state | {"baseline": digest})
        answer = "done" if step in state["steps"] else "not_done"
        return {"baseline": state["baseline"] or digest, "now": digest, "equal": True, "answer": answer}

    def state(self, asset: str) -> dict[str, Any]:
        """What was done to the host."""
        path = self.hosts / f"{asset}.json"
        empty = {"steps": [], "epoch": 0, "begun": "", "baseline": ""}
        return json.loads(path.read_text()) if path.exists() else empty

    def keep(self, asset: str, state: dict[str, Any]) -> None:
        """Keep it whole or not at all."""
        new = self.hosts / f"{asset}.new"
        new.write_text(json.dumps(state))
        new.replace(self.hosts / f"{asset}.json")


def main() -> int:
    """Play the run in the working directory."""
    play = Play()
    play.line("run_start", run=play.manifest["run"], pid=os.getpid())
    codes = [play.host(one["asset"], one["id"]) for one in play.manifest["attempts"]]
    play.line("stats")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
