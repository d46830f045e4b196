"""YAML of a runbook as plain values, each with its line; aliases, tags, duplicate keys and oversize are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from orchestrator.core.runbook import RunbookInvalid

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 10_000
_INT, _BOOL, _NULL = "tag:yaml.org,2002:int", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lined:
    """A document as plain values (texts, whole numbers, yes/no, None, lists, maps) and the line of each place in it."""

    file: str
    value: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of that place, or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def refuse(self, place: Place, what: str) -> RunbookInvalid:
        """The error that names this place."""
        return RunbookInvalid(file=self.file, line=self.line(place), what=what)


def read_lined(path: Path, *, shown_as: str, own_tags: bool = False) -> Lined:
    """The document in the file. ``own_tags``: the tags of playbooks (!unsafe, !vault) pass. Raises RunbookInvalid."""
    text = _text_of(path, shown_as)
    try:
        _check_events(text, shown_as, own_tags)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "it is not YAML"
        raise RunbookInvalid(file=shown_as, line=mark.line + 1 if mark else 1, what=str(what)) from error
    lines: dict[Place, int] = {}
    return Lined(file=shown_as, value=_plain(node, (), lines, shown_as), lines=lines)


def _text_of(path: Path, shown_as: str) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise RunbookInvalid(file=shown_as, line=1, what=f"the file is larger than {MAX_BYTES // 1024} KiB")
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise RunbookInvalid(file=shown_as, line=line, what="the text is not UTF-8") from error


def _check_events(text: str, shown_as: str, own_tags: bool) -> None:
    depth = nodes = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        what = ""
        documents += isinstance(event, yaml.DocumentStartEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            what = "anchors and aliases are not allowed"
        elif (tag := getattr(event, "tag", None)) and not own_tags:
            what = f"the tag {tag} is not allowed"
        elif documents > 1:
            what = "there is a second document"
        elif depth > MAX_DEPTH or nodes > MAX_NODES:
            what = "it is nested too deeply" if depth > MAX_DEPTH else "it has too many entries"
        if what:
            raise RunbookInvalid(file=shown_as, line=_line_of(event), what=what)


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _plain(node: yaml.Node | None, place: Place, lines: dict[Place, int], shown_as: str) -> Any:
    if node is None:
        return None
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, (*place, number), lines, shown_as) for number, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _plain_map(node, place, lines, shown_as)
    return _plain_scalar(node)


def _plain_map(node: yaml.MappingNode, place: Place, lines: dict[Place, int], shown_as: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise RunbookInvalid(file=shown_as, line=line, what="a key must be a plain word")
        # The words on, off, yes and no are keys like others here.
        if key.value in found:
            raise RunbookInvalid(file=shown_as, line=line, what=f"the key {key.value!r} occurs twice")
        lines[(*place, key.value)] = line
        found[key.value] = _plain(value, (*place, key.value), lines, shown_as)
    return found


def _plain_scalar(node: yaml.Node) -> str | int | bool | None:
    if node.tag == _INT and str(node.value).lstrip("-").isdecimal() and len(node.value) < 10:
        return int(node.value, 10)
    if node.tag == _BOOL:
        return str(node.value).lower() in ("yes", "true", "on")
    return None if node.tag == _NULL else str(node.value)
