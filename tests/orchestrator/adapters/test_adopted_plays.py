"""Which hosts a foreign playbook names, and what in it somebody should look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.adopted_plays import check_adopted, findings, groups_named, hosts_of
from orchestrator.core.runbook import RunbookInvalid


def written(folder: Path, text: str, name: str = "site.yml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_patterns_of_imported_playbooks_count_too_and_each_group_once(tmp_path: Path) -> None:
    written(tmp_path, "- hosts: [db, web]\n  tasks: []\n", "more/data.yml")
    site = written(tmp_path, "- hosts: web:&prod\n- import_playbook: more/data.yml\n- hosts: all\n")
    patterns = hosts_of(site, folder=tmp_path)
    assert patterns == ("web:&prod", "db", "web", "all")
    assert groups_named(patterns) == ("web", "prod", "db")


def test_anchors_and_tags_of_somebodys_own_playbook_are_no_fault(tmp_path: Path) -> None:
    text = "- hosts: all\n  vars: {a: &a [1], b: *a, c: !unsafe '{{ x }}', d: !vault abc}\n  tasks: []\n"
    check_adopted(written(tmp_path, text), folder=tmp_path, groups=())


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("- hosts: all\n- hosts: localhost\n", 2, "controller"),
        ("- hosts: web\n", 1, "no group of this runbook"),
        ("- hosts: '{{ target }}'\n", 1, "plain names"),
        ("- tasks: []\n", 1, "no `hosts`"),
        ("- hosts: all\n- import_playbook: ../outside.yml\n", 2, "no file of the adopted folder"),
        ("a: 1\n", 1, "no list of plays"),
        ("- hosts: [all\n", 2, "expected"),
        ("[" * 3000, 1, "nested too deeply"),
    ],
)
def test_what_cannot_be_played_is_named_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    (tmp_path / "outside.yml").write_text("- hosts: all\n")
    inside = tmp_path / "inside"
    with pytest.raises(RunbookInvalid) as refusal:
        check_adopted(written(inside, text), folder=inside, groups=("db",))
    assert refusal.value.facts["line"] == line
    assert says in str(refusal.value.facts["what"])


def test_playbooks_that_import_each_other_end(tmp_path: Path) -> None:
    written(tmp_path, "- import_playbook: site.yml\n- hosts: all\n", "other.yml")
    site = written(tmp_path, "- import_playbook: other.yml\n")
    assert hosts_of(site, folder=tmp_path) == ("all",)


def test_an_approver_is_shown_what_leaves_the_machines_of_the_wave(tmp_path: Path) -> None:
    tasks = (
        "- command: id\n  delegate_to: localhost\n"
        "- ping:\n  ignore_errors: yes\n"
        "- debug: msg={{ lookup('pipe', 'id') }}\n"
    )
    written(tmp_path, tasks, "roles/web/tasks/main.yml")
    written(tmp_path, "ansible_user: admin\n", "group_vars/all.yml")
    assert findings(tmp_path) == (
        "group_vars/all.yml:1: changes how machines are reached",
        "roles/web/tasks/main.yml:2: works on the controller",
        "roles/web/tasks/main.yml:4: goes on after an error",
        "roles/web/tasks/main.yml:5: reads from the controller",
    )
