"""Kahn's Ansible modules as plain Python modules, and small parts that their tests share."""

from __future__ import annotations

import importlib
import io
import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import ansible.module_utils

from orchestrator.adapters.runbooks import SHIPPED

ansible.module_utils.__path__.append(str(SHIPPED / "module_utils"))
sys.path.append(str(SHIPPED / "library"))


def shared(name: str) -> ModuleType:
    """A file of playbooks/module_utils."""
    return importlib.import_module(f"ansible.module_utils.{name}")


def module(name: str) -> ModuleType:
    """A file of playbooks/library."""
    return importlib.import_module(name)


outcome, tree, unpacker = shared("kahn_outcome"), shared("kahn_tree"), shared("kahn_unpack")
reached = shared("kahn_reached")
Trouble = outcome.Trouble


def cause(act: Any, *words: Any) -> str:
    """The cause code with which the act fails, or nothing."""
    try:
        act(*words)
    except Trouble as trouble:
        return str(trouble.cause)
    except OSError as error:
        return str(outcome.cause_of(error))
    return ""


def write_manifest(store: Path, records: list[dict[str, Any]]) -> str:
    """Write a manifest where the unpacking program looks for it; its digest."""
    lines = [tree.line_of(one) for one in records]
    store.mkdir(parents=True, exist_ok=True)
    (store / "home.manifest").write_bytes(b"".join(lines))
    return str(tree.digest_of_lines(lines))


def tar_of(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    """An archive of plain files (name -> content) and of any other members."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return whole.getvalue()
