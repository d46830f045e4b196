"""A run at the second address of a machine that does not answer at its first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.model import AssetId
from orchestrator.run_ports import RunOrder
from tests.orchestrator.adapters.test_runs import here
from tests.run_orders import Field
from tests.sshd import server

pytestmark = pytest.mark.ansible
__all__ = ["here", "server"]


def test_a_machine_that_does_not_answer_at_its_first_address_is_reached_at_the_second(here: Field) -> None:
    def lying(order: RunOrder) -> RunOrder:
        move = order.content.moves[0]
        source = replace(move.machines[0], address="127.0.0.9", second_address="127.0.0.1")
        content = replace(order.content, moves=(replace(move, machines=(source, *move.machines[1:])),))
        return replace(order, content=content)

    first = here.played(lying(here.order("- ansible.builtin.ping:")))
    assert (first["pc-1"].kind, first["pc-1"].cause) == ("not_started", "unreachable")
    second = replace(lying(here.order("- ansible.builtin.ping:")), second_way=frozenset({AssetId("pc-1")}))
    assert here.played(second)["pc-1"].kind == "done"
