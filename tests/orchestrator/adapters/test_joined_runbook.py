"""Two runbooks as one: the first's steps before the second's, each with its own playbooks; else refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.adapters.joined_runbook import CannotJoin, join_runbooks
from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.core.fleet import set_up_first

FIRST, SECOND = SHIPPED / "install-machine", SHIPPED / "replace-workstation"


def test_an_installation_goes_before_the_replacement(tmp_path: Path) -> None:
    made = join_runbooks(FIRST, SECOND, shelf=tmp_path, name="replace-by-bare")
    installing, replacing = load_runbook(FIRST), load_runbook(SECOND)
    assert made.step_names == (*installing.step_names, *replacing.step_names)
    assert (made.baseline, made.after, made.service) == (replacing.baseline, replacing.after, replacing.service)
    assert {role.name for role in made.roles} == {"source", "target", "tool", "vault", "jump"}
    assert made.step("install").probe == "install-machine/ask.yml"
    assert (tmp_path / "replace-by-bare/install-machine/ask.yml").read_text() == (FIRST / "ask.yml").read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["replace-by-bare"]


def test_the_successor_is_not_expected_to_answer_before_it_is_installed(tmp_path: Path) -> None:
    made = join_runbooks(FIRST, SECOND, shelf=tmp_path, name="replace-by-bare")
    assert set_up_first(made) == {"target"}


def test_what_cannot_be_one_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    changed = tmp_path / "install-machine"
    shutil.copytree(FIRST, changed)
    text = (changed / "runbook.yml").read_text()
    (changed / "runbook.yml").write_text(text.replace("tool: tool", "tool: tool\n  vault: gateway"))
    shelf = tmp_path / "shelf"
    for first, second, name, why in (
        (FIRST, FIRST, "x", "both have a step"), (FIRST, SECOND, "library", "no runbook name"),
        (FIRST, SECOND, "../x", "no runbook name"), (changed, SECOND, "x", "the role vault is another machine"),
    ):  # fmt: skip
        with pytest.raises(CannotJoin) as refused:
            join_runbooks(first, second, shelf=shelf, name=name)
        assert why in str(refused.value.facts["why"])
    assert not shelf.exists()


def test_a_runbook_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    join_runbooks(FIRST, SECOND, shelf=tmp_path, name="mine")
    with pytest.raises(CannotJoin):
        join_runbooks(FIRST, SECOND, shelf=tmp_path, name="mine")
