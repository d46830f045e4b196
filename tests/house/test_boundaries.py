"""Every durable step of the product stands in ``with boundary("name"):``, so that the crash sweep can die around it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import ROOT, nothing_in, python_files, tree_of

CALLS = {
    "os.fsync", "os.fdatasync", "os.rename", "os.replace", "os.fork", "os.posix_spawn", "subprocess.run",
    "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "smtplib.SMTP",
    "smtplib.SMTP_SSL", "socket.create_connection",
}  # fmt: skip
METHODS = {"commit": (0,), "connect": (0, 1, 2), "rename": (1,), "replace": (1,)}
"""Method name -> numbers of arguments with which it is a durable step (``str.replace`` has two)."""
NOT_DRIVING = ("lab", "versions")
"""The lab is a test bed; migrations run inside one transaction that is a boundary itself."""

WITHOUT_TRACE = tuple(f"orchestrator/adapters/{name}.py" for name in ("cpsat", "psrp", "psrp_child"))
"""Their processes answer a question and leave nothing behind: dying around them cannot tear anything."""

_SPEAKS = re.compile(r"sync\(|rename|\.replace|fork|spawn|subprocess|connect|commit|SMTP|boundary")


def durable(call: ast.Call) -> str:
    """The name of the durable step that the call is; empty when it is none."""
    if not isinstance(call.func, ast.Attribute):
        return ""
    name = call.func.attr
    if isinstance(call.func.value, ast.Name) and f"{call.func.value.id}.{name}" in CALLS:
        return f"{call.func.value.id}.{name}"
    return name if len(call.args) in METHODS.get(name, ()) and not call.keywords else ""


def is_boundary(node: ast.AST) -> bool:
    """Whether it is a block ``with boundary("name")``."""
    calls = [item.context_expr for item in node.items] if isinstance(node, ast.With) else []
    return any(isinstance(one, ast.Call) and ast.unparse(one.func) == "boundary" for one in calls)


def outside(node: ast.AST, *, inside: bool = False) -> Iterator[ast.Call]:
    """Durable steps that stand in no boundary."""
    if isinstance(node, ast.Call) and durable(node) and not inside:
        yield node
    for child in ast.iter_child_nodes(node):
        yield from outside(child, inside=inside or is_boundary(node))


def driving(path: Path) -> bool:
    """Whether the file belongs to what drives waves and keeps the books, and speaks of any durable step at all."""
    ours = path.parts[0] == "orchestrator" or path.parts[:3] == ("playbooks", "plugins", "callback")
    ours = ours and path.as_posix() not in WITHOUT_TRACE
    return ours and not set(NOT_DRIVING).intersection(path.parts) and bool(_SPEAKS.search((ROOT / path).read_text()))


def test_no_durable_step_stands_outside_a_boundary() -> None:
    """Put it into ``with boundary("area.thing.act"):`` (orchestrator/supervisor/boundary.py) and run `make docs`; a
    name that the crash sweep does not reach yet needs an act in tests/faults/crash/acts.py."""
    files = [path for path in python_files("orchestrator", "playbooks") if driving(path)]
    nothing_in(f"{path}:{call.lineno} {durable(call)}" for path in files for call in outside(tree_of(path)))


def test_the_rule_sees_a_step_outside_and_passes_one_inside() -> None:
    tree = ast.parse('os.fsync(1)\npath.replace(other)\n"a".replace("b", "c")\nwith boundary("x"):\n    os.fsync(2)\n')
    assert [call.lineno for call in outside(tree)] == [1, 2]


def test_a_boundary_has_a_plain_name() -> None:
    wrong = []
    for path in filter(driving, python_files("orchestrator", "playbooks")):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "boundary":
                first = node.args[0] if node.args else None
                named = isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.count(".") >= 1
                wrong += [] if named else [f"{path}:{node.lineno}"]
    nothing_in(wrong)
