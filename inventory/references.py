"""Names that point at other assets: what they resolve to once an import is done, and how a rename carries over."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from inventory.marks import Key
from inventory.model import FIELDS, Value, name_group, name_key

_GROUP_OF: Mapping[str, str] = {
    name: name_group(min(field.refers_to)) for name, field in FIELDS.items() if field.refers_to
}
"""Field that names other assets -> the name group of those."""
_DEPENDENCY_GROUPS = ("procedure", "machine", "seat", "site", "department")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Every name that will be known after the import, as it is spelled, and what became of given-up names."""

    spelled: Mapping[Key, str]
    """Known name -> its spelling."""
    given_up: Mapping[Key, str]
    """Former name -> the asset's new name."""

    def resolve(self, group: str, name: str) -> str | None:
        """How the asset of that name is spelled, None when there is none."""
        key = (group, name_key(name))
        return self.spelled.get(key) or self.given_up.get(key)

    def candidates(self, text: str) -> tuple[Key, ...]:
        """Assets a dependency may mean: ``group:name``, or the name alone in whatever group it occurs."""
        group, colon, rest = text.partition(":")
        groups: tuple[str, ...] = _DEPENDENCY_GROUPS
        if colon and group.strip().casefold() in _DEPENDENCY_GROUPS:
            groups, text = (group.strip().casefold(),), rest.strip()
        spelled = ((one, self.resolve(one, text)) for one in groups)
        return tuple((one, name_key(name)) for one, name in spelled if name)


def referred(values: Mapping[str, Value]) -> Iterable[tuple[str, str, str]]:
    """Each name the values point at: field, name group, name."""
    for field_name, value in values.items():
        group = _GROUP_OF.get(field_name)
        if group:
            for name in value if isinstance(value, tuple) else (str(value),):
                yield field_name, group, name


def respelled(values: Mapping[str, Value], names: Names) -> Mapping[str, Value]:
    """The values with each reference spelled as the asset it points at; unknown names stay. Themselves, if all are."""
    changed: dict[str, Value] = {}
    for field_name in _GROUP_OF.keys() & values.keys():
        value, group = values[field_name], _GROUP_OF[field_name]
        now: Value
        if isinstance(value, tuple):
            now = tuple(dict.fromkeys(names.resolve(group, name) or name for name in value))
        else:
            now = names.resolve(group, str(value)) or str(value)
        if now != value:
            changed[field_name] = now
    return {**values, **changed} if changed else values


def unknown_reference(
    values: Mapping[str, Value], known: Container[Key], given_up: Container[Key]
) -> tuple[str, str] | None:
    """The first field and name that point at nothing, in the order of the fields' names."""
    for field_name, group, name in sorted(referred(values)) if not _GROUP_OF.keys().isdisjoint(values) else ():
        key = (group, name_key(name))
        if key not in known and key not in given_up:
            return field_name, name
    return None
