"""The words by which files call kinds."""

from __future__ import annotations

import pytest

from inventory.model import MACHINES, AssetKind, DependencyKind, InvalidValue
from inventory.sources.kind_words import kind_by_system, machine_kind, parse_dependency_kind, parse_machine_kind


def test_every_kind_is_known_by_its_own_name_and_german_words_are_understood() -> None:
    assert all(parse_machine_kind(str(kind)) is kind for kind in MACHINES)
    assert [machine_kind(word) for word in ("Drucker", "Arbeitsplatz-PC", "Thin Client", "LAPTOP", "Beamer")] == [
        AssetKind.PRINTER, None, AssetKind.THIN_CLIENT, AssetKind.NOTEBOOK, None
    ]  # fmt: skip


def test_kinds_of_dependency_are_known_in_both_languages() -> None:
    assert [parse_dependency_kind(word) for word in ("hart", "Soft", "Lizenz")] == [
        DependencyKind.HARD, DependencyKind.SOFT, DependencyKind.LICENCE
    ]  # fmt: skip


def test_an_unknown_kind_is_refused() -> None:
    for parse in (parse_machine_kind, parse_dependency_kind):
        with pytest.raises(InvalidValue):
            parse("{{ x }}")


@pytest.mark.parametrize(
    ("system", "kind"),
    [
        ("Windows Server 2008 R2 x64", "server"), ("Windows 2003 Standard", "server"), ("NetWare 6.5", "server"),
        ("Red Hat Enterprise Linux 6 x64", "server"), ("SLES 11", "server"),
        ("Microsoft Windows Server 2022", "server"),
        ("Windows 2000 Professional", "workstation"), ("Windows 7 x64", "workstation"), ("Windows XP", "workstation"),
        ("Red Hat Enterprise Linux Workstation", "workstation"), ("", "workstation"), ("Ubuntu Desktop", "workstation"),
    ],
)  # fmt: skip
def test_the_operating_system_tells_server_from_workstation(system: str, kind: str) -> None:
    assert kind_by_system(system) == kind
