"""The two generated texts of a run that are not inventory: run.yml and ansible.cfg."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from inventory.ansible_inventory import MOVES_GROUP, REMOTE_TMP
from inventory.ssh_options import check_path
from orchestrator.adapters.fast_mode import fast_ways
from orchestrator.core.runbook import Adopted

_SPOOLING = "lookup('ansible.builtin.env', 'KAHN_SPOOLING') == kahn_run"
_REACHED = "('exit 0' if ansible_connection == 'psrp' else 'true')"
"""The least that a shell can do, in the language of the machine's shell."""
_NO_SPOOL = "undef(hint='the spool is not being written')"


def run_book(run: str, *, playbooks: Sequence[Path], once: bool) -> str:
    """run.yml: a first contact with each machine, the step's playbooks unchanged, and the task that proves *done*.

    For ``once`` steps the first contact is the claim, and the end receipt is written before the proof. Both are `raw`.
    The first task fails where the spool is not being written: without a record no machine is touched.
    """
    first, word = ("kahn_claim", "kahn_claim") if once else ("kahn_reach", _REACHED)
    plays: list[dict[str, object]] = [_raw_play(first, f"{{{{ {word} if {_SPOOLING} else {_NO_SPOOL} }}}}")]
    for path in playbooks:
        check_path("playbook", str(path))
        plays.append({"name": f"kahn step {path.name}", "ansible.builtin.import_playbook": str(path)})
    if once:
        plays.append(_raw_play("kahn_end", "{{ kahn_end }}"))
    plays.append(_play("kahn done", {"name": f"kahn_done {run}", "ansible.builtin.debug": {"msg": "done"}}))
    # JSON is YAML; nothing in it needs a block style.
    return json.dumps(plays, indent=1) + "\n"


def _raw_play(name: str, command: str) -> dict[str, object]:
    return _play(name, {"name": name, "ansible.builtin.raw": command, "changed_when": False})


def _play(name: str, task: dict[str, object]) -> dict[str, object]:
    return {"name": name, "hosts": MOVES_GROUP, "gather_facts": False, "tasks": [task]}


def run_config(*, run_directory: Path, tree: Path, callback_plugins: Path, adopted: Adopted | None = None) -> str:
    """ansible.cfg: every setting that matters is written out; nothing of the machine's own configuration counts.

    An adopted playbook gets facts as Ansible gathers them by itself, and the file that opens its own vault.
    """
    for place in (run_directory, tree, callback_plugins):
        check_path("directory", str(place))
    own_ways = _adopted_ways(adopted) if adopted else ["gathering = explicit", "inject_facts_as_vars = False"]
    return "\n".join(
        (
            "[defaults]",
            f"action_plugins = {tree}/plugins/action",
            f"callback_plugins = {callback_plugins}",
            "callbacks_enabled = kahn_spool",
            "stdout_callback = default",
            f"roles_path = {tree}/roles",
            f"library = {tree}/library",
            f"module_utils = {tree}/module_utils",
            f"collections_path = {tree}/collections",
            f"local_tmp = {run_directory}/tmp",
            f"remote_tmp = {REMOTE_TMP}",
            "host_key_checking = True",
            *own_ways,
            "fact_caching = memory",
            "transport = ssh",
            "timeout = 10",
            "retry_files_enabled = False",
            "deprecation_warnings = False",
            "nocolor = True",
            "nocows = True",
            "display_args_to_stdout = False",
            "allow_world_readable_tmpfiles = False",
            "[inventory]",
            "enable_plugins = ansible.builtin.yaml",
            "any_unparsed_is_failed = True",
            "unparsed_is_failed = True",
            "[privilege_escalation]",
            "become_ask_pass = False",
            "[connection]",
            "pipelining = True",
            "[ssh_connection]",
            "pipelining = True",
            "retries = 0",
            "",
        )
    )


def _adopted_ways(adopted: Adopted) -> list[str]:
    ways = ["gathering = implicit", "inject_facts_as_vars = True"]
    if adopted.vault_password_file:
        check_path("file", adopted.vault_password_file)
        ways.append(f"vault_password_file = {adopted.vault_password_file}")
    if adopted.fast:
        ways += fast_ways()
    return ways
