"""Runs modules that act from the controller inside Ansible's worker: no archive, no second Python, no files.

Everywhere else, and where rights must be raised first, they run as any module does.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
from contextlib import redirect_stdout, suppress
from pathlib import Path

import ansible.module_utils
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase

_TREE = Path(__file__).resolve().parents[2]
_PROFILE = "legacy"


class ActionModule(ActionBase):
    """What the plugins named like the modules have in common; `MODULE` is the loaded module."""

    MODULE = None
    TRANSFERS_FILES = False
    _supports_check_mode = True

    @staticmethod
    def of(name):
        """The module of that name, with what it uses. Called in Ansible's main process: its workers are forks of it."""
        shared = str(_TREE / "module_utils")
        if shared not in ansible.module_utils.__path__:
            ansible.module_utils.__path__.append(shared)
        spec = importlib.util.spec_from_file_location(name, _TREE / "library" / (name + ".py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def run(self, tmp=None, task_vars=None):
        """The module's result."""
        result = super().run(tmp, task_vars)
        if self._connection.transport != "local" or self._play_context.become:
            return {**result, **self._execute_module(task_vars=task_vars)}
        words = dict(self._task.args)
        self._update_module_args(self._task.action, words, task_vars)
        asked = {}
        self._compute_environment_string(asked)
        os.environ.update({name: str(value) for name, value in asked.items()})  # this worker ends with its task
        return {**result, **self._parse_returned_data({"stdout": self._told(words)}, _PROFILE)}

    def _told(self, words):
        """What the module prints. It ends by SystemExit, as every module does."""
        encoder = basic._json.get_module_encoder(_PROFILE, basic._json.Direction.CONTROLLER_TO_MODULE)
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": words}, cls=encoder).encode()
        basic._ANSIBLE_PROFILE = _PROFILE
        printed = io.StringIO()
        with redirect_stdout(printed), suppress(SystemExit):
            self.MODULE.main()
        return printed.getvalue()
