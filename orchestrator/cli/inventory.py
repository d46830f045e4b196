"""``kahn inventory``: the store as a dynamic inventory, for people's own playbooks."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from inventory.ansible_inventory import emit_estate
from inventory.model import name_key
from orchestrator.actions.list_inventory import NoSuchHost, hosts_of
from orchestrator.actions.sync_netbox import ways_of
from orchestrator.cli.context import Context, context_of
from orchestrator.texts import _
from orchestrator.wiring import INVENTORY_PLUGINS, estate_places, keep_proofs


def inventory(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--list", help=_("All machines and groups, as JSON."))] = False,
    host: Annotated[str, typer.Option("--host", metavar="NAME", help=_("Variables of one machine, as JSON."))] = "",
    plugins: Annotated[bool, typer.Option("--plugins", help=_("Where the inventory plugin lies."))] = False,
) -> None:
    """Speak to Ansible as a dynamic inventory; every value is marked unsafe. See docs/ansible-inventory.md."""
    if everything + bool(host) + plugins != 1:
        raise typer.BadParameter(_("give one of --list, --host NAME and --plugins"))
    if plugins:
        context_of(ctx).out.line(str(INVENTORY_PLUGINS))
        return
    tree = _tree(context_of(ctx))
    if host:
        tree = _one(tree, host, context_of(ctx))
    sys.stdout.write(json.dumps(tree, ensure_ascii=True, indent=1) + "\n")


def _tree(context: Context) -> dict[str, Any]:
    with context.world.store.reading() as books:
        snapshot = books.assets.snapshot(context.tenant)
        profiles = {one.name: one for one in books.tenants.access(context.tenant)}
        ways = ways_of(books, context.tenant)
    places, shared = estate_places(context.settings.home, context.tenant)
    emitted = emit_estate(hosts_of(snapshot, profiles, ways), places=places, shared=shared)
    keep_proofs(places, emitted)
    found: dict[str, Any] = json.loads(emitted.inventory)
    return found


def _one(tree: dict[str, Any], name: str, context: Context) -> dict[str, Any]:
    """The variables of one host, by its name for Ansible or by the machine's own. Raises NoSuchHost."""
    hosts: dict[str, Any] = tree["_meta"]["hostvars"]
    if name in hosts:
        return dict(hosts[name])
    for variables in hosts.values():
        if name_key(variables["kahn_name"]["__ansible_unsafe"]) == name_key(name):
            return dict(variables)
    raise NoSuchHost(name=name[:80], tenant=context.tenant)
