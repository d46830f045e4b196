"""The fast mode of adopted playbooks: Mitogen keeps one Python on each machine instead of starting one a task."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from inventory.errors import ExpectedError
from inventory.ssh_options import check_path

STRATEGY = "mitogen_linear"


class FastModeMissing(ExpectedError):
    """A runbook that asks for the fast mode where its package lacks: it is never played in another mode instead."""

    code, says = "RBK-008", "The fast mode needs the package mitogen, which is not installed here."
    remedy = (
        "Install Kahn's locked packages again (`make setup` or `make install`), or adopt the playbook without --fast."
    )


def fast_ways() -> list[str]:
    """Lines of ansible.cfg, section defaults, that switch it on. Raises FastModeMissing, CannotEmit."""
    # Looked for, never imported: it belongs into Ansible's process alone.
    found = find_spec("ansible_mitogen")
    if found is None or found.origin is None:
        raise FastModeMissing
    plugins = Path(found.origin).parent / "plugins" / "strategy"
    check_path("directory", str(plugins))
    return [f"strategy_plugins = {plugins}", f"strategy = {STRATEGY}"]
