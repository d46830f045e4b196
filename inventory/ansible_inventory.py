"""The one place that turns our values into an Ansible inventory: texts that could be templates are marked ``!unsafe``.

Ansible executes template expressions it finds in inventory values; a value marked unsafe is never looked at. Host and
group names and variable names cannot be marked, so they are only ever made here, from letters that mean nothing.

One trap: Ansible reads the type of a *marked* text anew, without its quotes, so that "no", "08" or "2026-11-30" would
become something else, and a lone "*" would make the whole file unreadable. Such texts are quoted and not marked. They
cannot be templates: whatever holds a brace is marked, always.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from inventory.psrp_options import certificate_pem, psrp_variables
from inventory.ssh_options import (
    CannotEmit,
    Hop,
    Reach,
    RunPlaces,
    check_path,
    hop_command,
    known_host_lines,
    ssh_command,
    ssh_options,
)

MOVES_GROUP = "kahn_moves"
NOWHERE = "no-address.invalid"
"""Where a host leads that cannot be reached, so that Ansible does not look for its name elsewhere (RFC 2606)."""
MACHINES_GROUP = "kahn_machines"
PYTHON_ON_TARGETS = "/usr/bin/python3"
REMOTE_TMP = "/tmp"
"""Ansible makes a directory of its own there for each module and removes it: no lasting trace on the machine."""

_HOST = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,30}")
_VARIABLE = re.compile(r"kahn_[a-z_]{1,30}")
_ESTATE_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_GROUP = re.compile(r"[a-z][a-z0-9_]{0,120}")
_RESERVED_HOSTS = frozenset({"all", "ungrouped", "localhost"})
_ADOPTED_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_RESERVED_GROUPS = frozenset({"all", "ungrouped", MOVES_GROUP, MACHINES_GROUP})
_MAX_HOST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedMachine:
    """One machine of a move in its role. ``name`` is what people call it; it never becomes a host name."""

    role: str
    name: str
    mac: tuple[str, ...]
    reach: Reach

    def __post_init__(self) -> None:
        if not _ROLE.fullmatch(self.role):
            raise CannotEmit(what="role", value=self.role[:40], why="use a-z, 0-9 and _")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedMove:
    """One inventory host: an asset move. ``host`` is the asset's id; plays connect to the machine in role ``on``.

    ``variables`` are Kahn's own, named ``kahn_...``; nobody else chooses names. Raises CannotEmit.
    """

    host: str
    name: str
    on: str
    machines: tuple[EmittedMachine, ...]
    variables: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host) or len(self.host) > _MAX_HOST or self.host in _RESERVED_HOSTS:
            raise CannotEmit(what="asset id", value=self.host[:80], why="use a-z, 0-9 and single hyphens")
        for name in self.variables:
            if not _VARIABLE.fullmatch(name):
                raise CannotEmit(what="variable", value=name[:40], why="its name is not one of Kahn's own")
        roles = [machine.role for machine in self.machines]
        if self.on not in roles or len(roles) != len(set(roles)):
            raise CannotEmit(what="role", value=self.on[:40], why="the move has no machine, or two, in this role")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """The text of inventory.yml and of the run's known_hosts file, and certificates of machines reached by PSRP by the
    path of the file where Ansible looks for each. ``hops`` are the commands that open the connections to jump hosts."""

    inventory: str
    known_hosts: str
    certificates: Mapping[str, str] = field(default_factory=dict)
    hops: tuple[tuple[str, ...], ...] = ()


def is_group_name(name: str) -> bool:
    """Whether moves may be put into a group of that name beside Kahn's own groups."""
    return bool(_ADOPTED_GROUP.fullmatch(name)) and name not in _RESERVED_GROUPS


def emit(moves: Sequence[EmittedMove], *, places: RunPlaces, groups: Sequence[str] = ()) -> Emitted:
    """Inventory and known hosts of one run, every move also in each of ``groups``.

    Raises CannotEmit; two moves with one host id are refused as well.
    """
    for group in groups:
        if not is_group_name(group):
            raise CannotEmit(what="group", value=group[:40], why="use letters, digits and _, and none of Kahn's own")
    if len({move.host for move in moves}) != len(moves):
        raise CannotEmit(what="asset id", value="", why="it occurs twice in this run")
    labels = _labels(moves)
    hosts = {move.host: _move_variables(move, labels=labels, places=places) for move in moves}
    machines = {
        machine_host(move.host, machine.role): _connection(machine.reach, label=labels[machine.reach], places=places)
        for move in moves
        for machine in move.machines
    }
    children: dict[str, Any] = {MOVES_GROUP: {"hosts": hosts}, MACHINES_GROUP: {"hosts": machines}}
    children |= {_Key(group): {"hosts": {move.host: {} for move in moves}} for group in groups}
    tree = {"all": {"children": children}}
    return Emitted(inventory=to_unsafe_yaml(tree), hops=_hops(labels, places), **_proofs(labels, places))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedHost:
    """One machine for people's own playbooks. ``host`` and ``groups`` are made by us; ``variables`` may hold anything
    under Kahn's own names. Without ``reach`` it leads nowhere. Raises CannotEmit.
    """

    host: str
    groups: tuple[str, ...]
    reach: Reach | None
    variables: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ESTATE_HOST.fullmatch(self.host) or self.host.lower() in _RESERVED_HOSTS:
            raise CannotEmit(what="host name", value=self.host[:80], why="use a-z, A-Z, 0-9 and . _ -")
        for group in self.groups:
            if not _GROUP.fullmatch(group) or group in _RESERVED_HOSTS:
                raise CannotEmit(what="group", value=group[:80], why="use a-z, 0-9 and _")
        for name in self.variables:
            if not _VARIABLE.fullmatch(name):
                raise CannotEmit(what="variable", value=name[:40], why="its name is not one of Kahn's own")


def emit_estate(hosts: Sequence[EmittedHost], *, places: RunPlaces, shared: bool) -> Emitted:
    """All hosts as a dynamic inventory in JSON, each text marked, and their known hosts. Raises CannotEmit."""
    if len({one.host for one in hosts}) != len(hosts):
        raise CannotEmit(what="host name", value="", why="it occurs twice")
    labels: dict[Reach, str] = {}
    groups: dict[str, list[str]] = {}
    for one in hosts:
        if one.reach is not None:
            labels.setdefault(one.reach, f"k{len(labels) + 1}")
        for group in (MACHINES_GROUP, *one.groups):
            groups.setdefault(group, []).append(one.host)
    variables: dict[str, Any] = {}
    for one in hosts:
        way: dict[str, Any] = {"ansible_host": NOWHERE}
        if one.reach is not None:
            way = _connection(one.reach, label=labels[one.reach], places=places, shared=shared)
        variables[one.host] = _marked(_checked({**way, **one.variables}))
    tree: dict[str, Any] = {name: {"hosts": members} for name, members in sorted(groups.items())}
    text = json.dumps({"_meta": {"hostvars": variables}, **tree}, ensure_ascii=True, indent=1)
    return Emitted(inventory=text, **_proofs(labels, places))


def _hops(labels: Mapping[Reach, str], places: RunPlaces) -> tuple[tuple[str, ...], ...]:
    """One command for each jump host and key, named after the first machine behind it."""
    first: dict[tuple[Hop | None, str], Reach] = {}
    for reach in labels:
        first.setdefault((reach.hop, reach.key_file), reach)
    commands = (hop_command(reach, label=labels[reach], places=places) for reach in first.values())
    return tuple(command for command in commands if command)


def _proofs(labels: Mapping[Reach, str], places: RunPlaces) -> dict[str, Any]:
    """What machines must show: lines of known_hosts, and certificates by the path of their file."""
    known, certificates = list[str](), dict[str, str]()
    for reach, label in labels.items():
        if reach.psrp is None:
            known += known_host_lines(reach, label=label)
        else:
            certificates[_trusted(label, places)] = certificate_pem(reach.host_key)
    return {"known_hosts": "".join(f"{line}\n" for line in known), "certificates": certificates}


def _trusted(label: str, places: RunPlaces) -> str:
    return f"{places.known_hosts}.{label}.pem"


def _marked(value: Any) -> Any:
    """The checked value with each text in the form that Ansible reads from JSON as not to be looked at."""
    if isinstance(value, str) and not isinstance(value, _Key | _Template):
        return {"__ansible_unsafe": value}
    if isinstance(value, Mapping):
        return {str(key): _marked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_marked(one) for one in value]
    return value


def machine_host(move: str, role: str) -> str:
    """Inventory host by which a play reaches another machine of the move (``delegate_to``)."""
    return f"{move}--{role.replace('_', '-')}"


def _labels(moves: Sequence[EmittedMove]) -> dict[Reach, str]:
    """One label per distinct way to a machine: two machines with one address behind different hops never share a
    connection or a host key."""
    found: dict[Reach, str] = {}
    for move in moves:
        for machine in move.machines:
            found.setdefault(machine.reach, f"k{len(found) + 1}")
    return found


def _connection(reach: Reach, *, label: str, places: RunPlaces, shared: bool = True) -> dict[str, Any]:
    if reach.psrp is not None:
        return {
            "ansible_host": reach.address,
            "ansible_port": reach.port,
            "ansible_user": reach.user,
            **psrp_variables(reach.psrp, key_file=reach.key_file, trusted=_trusted(label, places)),
            **({} if reach.psrp.login == "certificate" else {"ansible_password": _password_in(reach.key_file)}),
        }
    return {
        "ansible_connection": "ssh",
        "ansible_host": reach.address,
        "ansible_port": reach.port,
        "ansible_user": reach.user,
        "ansible_ssh_private_key_file": reach.key_file,
        "ansible_become": reach.become,
        "ansible_become_method": "sudo",
        "ansible_become_user": "root",
        "ansible_ssh_args": shlex.join(ssh_options(reach, label=label, places=places, shared=shared)),
        "ansible_ssh_common_args": "",
        "ansible_ssh_extra_args": "",
        "ansible_pipelining": True,
        "ansible_remote_tmp": REMOTE_TMP,
        "ansible_python_interpreter": PYTHON_ON_TARGETS,
    }


def _move_variables(move: EmittedMove, *, labels: Mapping[Reach, str], places: RunPlaces) -> dict[str, Any]:
    target = next(machine for machine in move.machines if machine.role == move.on)
    return {
        **_connection(target.reach, label=labels[target.reach], places=places),
        **move.variables,
        "kahn_name": move.name,
        "kahn_roles": {machine.role: machine_host(move.host, machine.role) for machine in move.machines},
        "kahn_ssh": {
            machine.role: list(ssh_command(machine.reach, label=labels[machine.reach], places=places))
            for machine in move.machines
            if machine.reach.psrp is None
        },
        "kahn_machines": {machine.role: _description(machine) for machine in move.machines},
    }


def _description(machine: EmittedMachine) -> dict[str, Any]:
    return {
        "address": machine.reach.address,
        "port": machine.reach.port,
        "host_key": machine.reach.host_key,
        "name": machine.name,
        "mac": list(machine.mac),
        "user": machine.reach.user,
        "become": machine.reach.become,
    }


class _Key(str):
    """A mapping key that was made or checked here; with the template below the only text that is not marked."""


class _Template(str):
    """A template that was made here, and only here, of a path that holds nothing but letters that mean nothing."""


def _password_in(file: str) -> _Template:
    """Reads the password from its file when a machine is connected to: it stands in no inventory and no run's files."""
    check_path("key file", file)
    return _Template(f"{{{{ lookup('ansible.builtin.file', '{file}') }}}}")


class _UnsafeDumper(yaml.SafeDumper):
    """Writes every text as a double-quoted scalar, tagged ``!unsafe`` where that leaves it a text; never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always: an anchor could carry a value past its mark."""
        return True


_TEXT = "tag:yaml.org,2002:str"
_RESOLVER = yaml.resolver.Resolver()


def is_marked(text: str) -> bool:
    """Whether the text is emitted with the mark: all are but those that YAML would then take for another type."""
    resolved = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return "{" in text or bool(resolved == _TEXT)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("!unsafe" if is_marked(text) else _TEXT, text, style='"')


def _represent_plainly(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar(_TEXT, text, style='"')


_UnsafeDumper.add_representer(str, _represent_text)
_UnsafeDumper.add_representer(_Key, _represent_plainly)
_UnsafeDumper.add_representer(_Template, _represent_plainly)


def to_unsafe_yaml(tree: Mapping[str, Any]) -> str:
    """The tree as YAML in which each text value is marked unsafe. Raises CannotEmit for values of other types."""
    return yaml.dump(_checked(tree), Dumper=_UnsafeDumper, default_flow_style=False, width=10**9, sort_keys=False)


_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,200}")


def _checked(value: object) -> Any:
    """A copy made of exactly the types that the dumper knows: a subclass of str could slip through unmarked."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if type(value) is _Template:
        return value
    if isinstance(value, str):
        if any(0xD800 <= ord(char) < 0xE000 for char in value):
            raise CannotEmit(what="text", value=ascii(value)[:80], why="it holds half a character")
        return str(value)
    if isinstance(value, Mapping):
        return {_checked_key(key): _checked(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_checked(one) for one in value]
    raise CannotEmit(what="value", value=type(value).__name__, why="only texts, numbers, yes/no, lists and maps")


def _checked_key(key: object) -> _Key:
    if type(key) is _Key:
        return key
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise CannotEmit(what="name", value=str(key)[:40], why="use a-z, 0-9, _ and -")
    return _Key(key)
