"""Adopting somebody's own playbook: copied whole or not at all, and played as its writer meant it, by real Ansible."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adapters.adopt import AdoptedRunbook, CannotAdopt, Wish, adopt, parsed_wish
from orchestrator.adapters.runbook_trees import freeze_runbook
from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.runbook import Effect, RunbookInvalid
from orchestrator.run_ports import RunOrder
from tests.run_orders import Field
from tests.sshd import Server, server

__all__ = ["server"]

SITE = """\
- hosts: webservers
  roles: [web]
- hosts: all
  tasks:
    - name: facts are there as Ansible gathers them by itself
      ansible.builtin.shell: echo "{{ greeting }} {{ secret }} {{ ansible_system }}" >> /run/adopted
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A playbook with a role and group variables, one of them behind a vault."""
    folder = tmp_path / "mine"
    (folder / "roles/web/tasks").mkdir(parents=True)
    (folder / "group_vars").mkdir()
    (folder / "Site.yml").write_text(SITE)
    (folder / "roles/web/tasks/main.yml").write_text("- ansible.builtin.shell: echo role >> /run/adopted\n")
    (folder / "group_vars/webservers.yml").write_text("greeting: hallo\n")
    (folder / "group_vars/all.yml").write_text("secret: geheim\n")
    (tmp_path / "password").write_text("open sesame\n")
    return folder


def taken(tmp_path: Path, wish: Wish, name: str = "site") -> AdoptedRunbook:
    return adopt(wish, shelf=tmp_path / "runbooks", name=name)


def refused(tmp_path: Path, wish: Wish, name: str = "site") -> str:
    with pytest.raises((CannotAdopt, RunbookInvalid)) as refusal:
        taken(tmp_path, wish, name)
    assert list((tmp_path / "runbooks").glob("*")) == [] and list((tmp_path / "runbooks").glob(".*")) == []
    return str(refusal.value)


def test_it_becomes_one_step_that_happens_once_and_has_no_undo(tmp_path: Path, mine: Path) -> None:
    found = taken(tmp_path, Wish(playbook=str(mine / "Site.yml"))).runbook
    assert [(one.effect, one.undo, one.no_return, one.playbook) for one in found.steps] == [
        (Effect.ONCE, "", True, "adopted/Site.yml")
    ]
    assert found.adopted is not None and found.adopted.groups == ("webservers",)


def test_an_undo_of_ones_own_makes_it_reversible(tmp_path: Path, mine: Path) -> None:
    (mine / "back.yml").write_text("- hosts: webservers\n  tasks: []\n")
    step = taken(tmp_path, Wish(playbook=str(mine / "Site.yml"), undo="back.yml")).runbook.steps[0]
    assert (step.undo, step.no_return) == ("adopted/back.yml", False)


def test_its_files_are_the_original_ones(tmp_path: Path, mine: Path) -> None:
    place = taken(tmp_path, Wish(playbook=str(mine / "Site.yml"))).folder / "adopted"
    assert (place / "Site.yml").read_text() == SITE
    assert (place / "roles/web/tasks/main.yml").is_file()


def test_a_commit_of_a_repository_is_taken_and_not_what_lies_beside_it(tmp_path: Path, mine: Path) -> None:
    def git(*words: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@t.example")
        argv = ("git", "-C", str(mine), *identity, *words)
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "HEAD")
    (mine / "Site.yml").write_text("- hosts: all\n  tasks: [{command: reboot}]\n")
    path, repository, named = parsed_wish(f"{mine}@{commit[:12]}:Site.yml")
    found = taken(tmp_path, Wish(playbook=path, repository=repository, commit=named))
    assert (found.folder / "adopted/Site.yml").read_text() == SITE
    assert found.runbook.adopted is not None and found.runbook.adopted.origin.endswith(f"@{commit}:Site.yml")


def test_a_branch_is_no_commit() -> None:
    with pytest.raises(CannotAdopt, match="no commit"):
        parsed_wish("/srv/repo@main:site.yml")


@pytest.mark.parametrize("name", ["../out", "Site", "roles", ""])
def test_a_name_that_is_none_is_refused_before_anything_is_written(tmp_path: Path, mine: Path, name: str) -> None:
    assert "no runbook name" in refused(tmp_path, Wish(playbook=str(mine / "Site.yml")), name)
    assert not (tmp_path / "out").exists()


def test_a_second_adoption_under_one_name_is_refused_and_the_first_stays(tmp_path: Path, mine: Path) -> None:
    first = taken(tmp_path, Wish(playbook=str(mine / "Site.yml")))
    with pytest.raises(CannotAdopt, match="already"):
        taken(tmp_path, Wish(playbook=str(mine / "Site.yml")))
    assert (first.folder / "runbook.yml").is_file()


def test_what_it_requires_must_lie_beside_it(tmp_path: Path, mine: Path) -> None:
    needs = "collections: [{name: community.general}]\nroles: [web, {src: geerlingguy.nginx}]\n"
    (mine / "requirements.yml").write_text(needs)
    said = refused(tmp_path, Wish(playbook=str(mine / "Site.yml")))
    assert "geerlingguy.nginx, community.general" in said
    (mine / "collections/ansible_collections/community/general").mkdir(parents=True)
    (mine / "roles/geerlingguy.nginx").mkdir()
    taken(tmp_path, Wish(playbook=str(mine / "Site.yml")))


@pytest.mark.parametrize("spoil", ["link", "controller", "large"])
def test_a_folder_that_cannot_be_approved_leaves_nothing_behind(tmp_path: Path, mine: Path, spoil: str) -> None:
    if spoil == "link":
        (mine / "roles/more").symlink_to("/etc")
    elif spoil == "controller":
        (mine / "Site.yml").write_text("- hosts: localhost\n  tasks: []\n")
    else:
        (mine / "image.iso").write_bytes(b"\0" * (4 * 1024 * 1024 + 1))
    words = {"link": "symbolic link", "controller": "controller", "large": "more than 4 MiB"}
    assert words[spoil] in refused(tmp_path, Wish(playbook=str(mine / "Site.yml")))


@pytest.fixture
def here(tmp_path: Path, server: Server) -> Iterator[Field]:
    made = Field(state=tmp_path / "state", server=server)
    yield made
    assert made.leave() == ()


def an_order(here: Field, found: AdoptedRunbook) -> RunOrder:
    """The adopted step on the server, from the frozen tree; the server stands in for both roles of the ready order."""
    freeze_runbook(found.runbook, found.folder, here.state / "trees", shared=SHIPPED)
    order = here.order("- ansible.builtin.debug:", once=True)
    machines = tuple(replace(one, role="target") for one in order.content.moves[0].machines[:1])
    moves = (replace(order.content.moves[0], machines=machines),)
    content = replace(order.content, runbook=found.runbook, moves=moves)
    return replace(order, content=content, playbooks=(found.runbook.steps[0].playbook,), on="target")


@pytest.mark.ansible
def test_roles_group_variables_vault_and_facts_work_as_their_writer_meant(
    tmp_path: Path, mine: Path, here: Field
) -> None:
    vault = [str(Path(sys.executable).parent / "ansible-vault"), "encrypt", "--vault-password-file"]
    subprocess.run(
        [*vault, str(tmp_path / "password"), str(mine / "group_vars/all.yml")], check=True, capture_output=True
    )
    wish = Wish(playbook=str(mine / "Site.yml"), vault_password_file=str(tmp_path / "password"))
    order = an_order(here, taken(tmp_path, wish))
    assert here.server is not None
    here.server.inside("rm", "-f", "/run/adopted")
    assert {one.kind for one in here.played(order).values()} == {"done"}
    assert here.server.inside("cat", "/run/adopted").split() == ["role", "hallo", "geheim", "Linux"]
    assert "open sesame" not in "".join(
        path.read_text(errors="replace") for path in here.directory(order).rglob("*") if path.is_file()
    )
