"""Playbooks that somebody else wrote: which hosts their plays name, and what in them an approver should look at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from inventory.ansible_inventory import MOVES_GROUP
from orchestrator.core.runbook import RunbookInvalid

MAX_BYTES = 1024 * 1024
_TOKENS = re.compile(r"[:,]\s*")
_ON_CONTROLLER = frozenset({"localhost", "127.0.0.1", "::1"})
_TELLTALE = (
    (re.compile(r"^\s*-?\s*(delegate_to:\s*[\"']?(localhost|127\.0\.0\.1)|local_action:|connection:\s*[\"']?local)"),
     "works on the controller"),
    (re.compile(r"^\s*-?\s*[\"']?ansible_(host|port|user|connection|ssh_\w+|become\w*|python_interpreter)[\"']?\s*[:=]"),
     "changes how machines are reached"),
    (re.compile(r"^\s*-?\s*(ignore_errors:\s*[\"']?(true|yes)|ignore_unreachable:\s*[\"']?(true|yes))", re.IGNORECASE),
     "goes on after an error"),
    (re.compile(r"lookup\(\s*[\"'](pipe|file|url|env)"), "reads from the controller"),
)  # fmt: skip


def hosts_of(playbook: Path, *, folder: Path) -> tuple[str, ...]:
    """The host patterns of all plays, those of imported playbooks included, in order. Raises RunbookInvalid."""
    return tuple(pattern for _file, _line, pattern in _patterns(playbook, folder.resolve(), seen=set()))


def groups_named(patterns: Iterable[str]) -> tuple[str, ...]:
    """Group names in host patterns, without ``all`` and Kahn's own group; each once, in order."""
    names = (token.lstrip("&!") for pattern in patterns for token in _TOKENS.split(pattern))
    return tuple(dict.fromkeys(name for name in names if name and name not in ("all", "*", MOVES_GROUP)))


def check_adopted(playbook: Path, *, folder: Path, groups: Iterable[str]) -> None:
    """Each play names only groups that the moves are put into, none the controller. Raises RunbookInvalid."""
    allowed = set(groups)
    for file, line, pattern in _patterns(playbook, folder.resolve(), seen=set()):
        for name in groups_named([pattern]):
            if name in _ON_CONTROLLER:
                what = f"`hosts: {name}` would work on the controller; a run touches the machines of its wave only"
                raise RunbookInvalid(file=str(file), line=line, what=what)
            if name not in allowed:
                what = f"the play names the hosts {name[:60]!r}, which is no group of this runbook"
                raise RunbookInvalid(file=str(file), line=line, what=what)


def findings(folder: Path) -> tuple[str, ...]:
    """Lines in the folder's YAML that an approver should look at, as ``file:line: why``; in the order of the files."""
    found = []
    for path in sorted(folder.rglob("*.y*ml")):
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
                found += [f"{path.relative_to(folder)}:{number}: {why}" for sign, why in _TELLTALE if sign.search(line)]
    return tuple(found)


def _patterns(playbook: Path, folder: Path, *, seen: set[Path]) -> Iterator[tuple[Path, int, str]]:
    if playbook.resolve() in seen:
        return
    seen.add(playbook.resolve())
    plays = _composed(playbook)
    if not isinstance(plays, yaml.SequenceNode) or not plays.value:
        raise RunbookInvalid(file=str(playbook), line=1, what="it is no list of plays")
    for play in plays.value:
        line = play.start_mark.line + 1
        entries = _entries(play)
        imported = entries.get("import_playbook") or entries.get("ansible.builtin.import_playbook")
        if imported is not None:
            yield from _patterns(_inside(playbook, imported, folder), folder, seen=seen)
        elif (hosts := entries.get("hosts")) is None:
            raise RunbookInvalid(file=str(playbook), line=line, what="the play has no `hosts`")
        else:
            yield from ((playbook, hosts.start_mark.line + 1, text) for text in _texts(hosts, playbook))


def _composed(playbook: Path) -> yaml.Node | None:
    if playbook.stat().st_size > MAX_BYTES:
        raise RunbookInvalid(file=str(playbook), line=1, what=f"the file is larger than {MAX_BYTES // 1024} KiB")
    try:
        return yaml.compose(playbook.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise RunbookInvalid(file=str(playbook), line=1, what="the text is not UTF-8") from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = str(getattr(error, "problem", None) or "it is not YAML, or nested too deeply")
        raise RunbookInvalid(file=str(playbook), line=mark.line + 1 if mark else 1, what=what) from error


def _entries(play: yaml.Node) -> dict[str, yaml.Node]:
    pairs = play.value if isinstance(play, yaml.MappingNode) else []
    return {key.value: value for key, value in pairs if isinstance(key, yaml.ScalarNode)}


def _inside(playbook: Path, node: yaml.Node, folder: Path) -> Path:
    name = node.value if isinstance(node, yaml.ScalarNode) else ""
    found = (playbook.parent / name).resolve()
    if folder not in found.parents or not found.is_file():
        what = f"it imports {name[:80]!r}, which is no file of the adopted folder"
        raise RunbookInvalid(file=str(playbook), line=node.start_mark.line + 1, what=what)
    return found


def _texts(hosts: yaml.Node, playbook: Path) -> list[str]:
    nodes = hosts.value if isinstance(hosts, yaml.SequenceNode) else [hosts]
    texts = [node.value for node in nodes if isinstance(node, yaml.ScalarNode)]
    if len(texts) != len(nodes) or not all(texts) or any("{" in text for text in texts):
        what = "`hosts` must be plain names: who is touched is decided before the run, not in it"
        raise RunbookInvalid(file=str(playbook), line=hosts.start_mark.line + 1, what=what)
    return texts
