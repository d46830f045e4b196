"""Kahn's inventory for people's own playbooks: asks `kahn inventory --list` and believes no value enough to run it."""

from __future__ import annotations

import json
import os
import subprocess

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.unsafe_proxy import wrap_var

DOCUMENTATION = r"""
    name: kahn
    short_description: machines from a Kahn inventory
    description:
      - Takes machines and groups from the store of Kahn, which must be installed on this machine.
      - Every value is marked unsafe; how a machine is reached comes from Kahn's access profiles alone.
      - The file that configures it ends in kahn.yml or kahn.yaml.
    options:
      plugin:
        description: names this plugin
        required: true
        choices: [kahn]
      command:
        description: path of the program
        default: kahn
        env: [{name: KAHN_COMMAND}]
      home:
        description: state directory; otherwise as the program finds it
        default: ""
      tenant:
        description: tenant; otherwise the configured one
        default: ""
      timeout_s:
        description: seconds to wait for the program
        type: int
        default: 120
"""
MARK = "__ansible_unsafe"


class InventoryModule(BaseInventoryPlugin):
    """Fills Ansible's inventory from the one document that the emitter made."""

    NAME = "kahn"

    def verify_file(self, path):
        """Only files that say so by their name."""
        return super().verify_file(path) and path.endswith(("kahn.yml", "kahn.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        """Groups, hosts and variables. Raises AnsibleParserError."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        tree = self._asked(os.path.dirname(os.path.abspath(path)))
        variables = tree.pop("_meta")["hostvars"]
        for group, members in tree.items():
            self.inventory.add_group(group)
            for host in members["hosts"]:
                self.inventory.add_host(host, group=group)
        for host, values in variables.items():
            self.inventory.add_host(host)
            for name, value in values.items():
                self.inventory.set_variable(host, name, wrap_var(unmarked(value)))

    def _asked(self, folder):
        """What the program says, checked for its shape."""
        words = [self.get_option("command")]
        for name in ("home", "tenant"):
            if self.get_option(name):
                words += [f"--{name}", self.get_option(name)]
        try:
            done = subprocess.run(
                [*words, "inventory", "--list"],
                capture_output=True,
                timeout=self.get_option("timeout_s"),
                stdin=subprocess.DEVNULL,
                cwd=folder,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise AnsibleParserError(f"{words[0]} could not be asked: {problem}") from problem
        if done.returncode:
            raise AnsibleParserError(f"{words[0]} says: {done.stderr.decode(errors='replace')[:500]}")
        try:
            tree = json.loads(done.stdout)
            tree["_meta"]["hostvars"].items()
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise AnsibleParserError(f"{words[0]} did not give an inventory") from problem
        return tree


def unmarked(value):
    """The value without the marks of the document; it is marked anew as a whole."""
    if isinstance(value, dict):
        if set(value) == {MARK}:
            return value[MARK]
        return {name: unmarked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [unmarked(one) for one in value]
    return value
