"""Causes in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.core import causes
from orchestrator.core.causes import CAUSES, RULES_OWN, cause_of

CORE = Path(causes.__file__).parent


@pytest.mark.parametrize("file", ["decide.py", "outcome.py"])
def test_every_cause_that_the_rules_give_is_in_the_list(file: str) -> None:
    given = set(re.findall(r'cause="([a-z_]+)"', (CORE / file).read_text()))
    assert given <= set(CAUSES)


def test_an_unknown_cause_stands_for_itself() -> None:
    assert cause_of("no_such_cause").says == "no_such_cause"


def test_no_cause_is_said_to_be_none() -> None:
    assert cause_of("").says == "no cause was recorded"


def test_a_cause_from_a_hostile_host_is_no_template() -> None:
    assert cause_of("{0.__class__}").says.format() == "{0.__class__}"


def test_each_cause_says_something_and_names_what_helps() -> None:
    assert all(one.says and not one.says.endswith(".") and one.remedy.endswith(".") for one in CAUSES.values())


@pytest.mark.parametrize("code", ["read_only", "disk_full", "clock_wrong", "vault_unreachable"])
def test_what_machines_find_out_about_themselves_is_believed_when_they_name_it(code: str) -> None:
    assert code in CAUSES and code not in RULES_OWN
