"""``kahn`` in this process, as quick as a call: for tests of what it says, and not of how a process begins and ends."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess

import pytest

from orchestrator.cli.main import main


def called(*words: str, **environment: str) -> CompletedProcess[str]:
    """One call of the command: its exit code, and what it wrote; more of the environment by name."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("sys.argv", ["kahn", *words])
        patch.setattr("sys.stdin", io.StringIO())
        _set(patch, environment)
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return CompletedProcess(words, ended.value.code, out.getvalue(), err.getvalue())


def _set(patch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        patch.setenv(name, value)
