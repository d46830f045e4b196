"""What a runbook needs of an asset: plain text, compared without case, or by its beginning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.model import Asset, AssetId, AssetKind, TenantId
from orchestrator.core.needs import NeedNotMet, check_needs
from orchestrator.core.runbook import Need
from tests.orchestrator.core.builders import a_runbook


def a_machine(**values: str) -> Asset:
    kind = AssetKind.WORKSTATION
    return Asset(id=AssetId("a1"), tenant=TenantId("stadt"), kind=kind, name="pc-1", values=dict(values))


def needing(*values: str) -> None:
    check_needs(a_machine(os_name="Windows 10 Pro"), replace(a_runbook(), needs=(Need(fact="os_name", values=values),)))


@pytest.mark.parametrize("values", [("windows 10 pro",), ("Debian*", "Windows*"), ("*",)])
def test_one_of_the_values_or_its_beginning_is_enough(values: tuple[str, ...]) -> None:
    needing(*values)


@pytest.mark.parametrize("values", [("Windows",), ("Debian*",), ("{{ os_name }}",), (".*",)])
def test_anything_else_is_refused_with_both_values(values: tuple[str, ...]) -> None:
    with pytest.raises(NeedNotMet, match=r"pc-1: .*Windows 10 Pro"):
        needing(*values)


def test_what_nobody_knows_of_an_asset_does_not_do() -> None:
    runbook = replace(a_runbook(), needs=(Need(fact="os_name", values=("Windows*",)),))
    with pytest.raises(NeedNotMet, match="says -"):
        check_needs(a_machine(), runbook)
