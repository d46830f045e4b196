"""Loading a runbook: every broken rule is named with file and line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import (
    SHIPPED,
    RunbookUnknown,
    find_runbook,
    known_runbooks,
    load_runbook,
)
from orchestrator.core.runbook import Effect, RoleSource, RunbookInvalid

TEXT = """\
title: Try
ansible: modern
roles:
  source: asset
baseline:
  on: source
  take: take.yml
  compare: take.yml
steps:
  - name: first
    title: First
    on: source
    effect: idempotent
    playbook: take.yml
    undo: take.yml
  - name: second
    title: Second
    on: source
    effect: once
    playbook: take.yml
    undo: take.yml
    probe: take.yml
    deadline_s: 60
"""
PLAY = "- hosts: all\n  gather_facts: false\n  tasks: []\n"
Change = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "try-out"
    made.mkdir()
    (made / "runbook.yml").write_text(TEXT)
    (made / "take.yml").write_text(PLAY)
    return made


def refused(folder: Path) -> tuple[str, int, str]:
    with pytest.raises(RunbookInvalid) as error:
        load_runbook(folder)
    facts = error.value.facts
    return Path(str(facts["file"])).name, int(str(facts["line"])), str(facts["what"])


def change(folder: Path, old: str, new: str) -> None:
    assert old in TEXT
    (folder / "runbook.yml").write_text(TEXT.replace(old, new, 1))


def test_a_good_runbook_is_loaded_with_all_its_parts(folder: Path) -> None:
    found = load_runbook(folder)
    assert found.name == "try-out" and found.step_names == ("first", "second")
    assert found.roles[0].machine is RoleSource.ASSET
    assert found.step("second").effect is Effect.ONCE and found.step("second").deadline_s == 60
    assert len(found.tree) == 64


def test_the_shipped_runbook_holds_to_every_rule() -> None:
    found = load_runbook(SHIPPED / "replace-workstation")
    assert [step.name for step in found.steps if step.effect is Effect.ONCE] == ["switch-off-old"]


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("title: Try\n", "title: Try\ncolour: red\n", 2, "unknown key 'colour'"),
        ("    undo: take.yml\n  - name: second", "    undos: take.yml\n  - name: second", 15, "unknown key 'undos'"),
        ("    undo: take.yml\n  - name: second", "  - name: second", 10, "needs 'undo'"),
        ("    undo: take.yml\n    probe", "    probe", 16, "needs 'undo'"),
        ("    probe: take.yml\n", "", 16, "needs 'probe'"),
        ("effect: idempotent", "effect: none", 15, "has no effect, so 'undo' makes no sense"),
        ("effect: once", "effect: twice", 19, "'effect' is 'twice' but must be"),
        ("    probe: take.yml", "    no_return: true\n    probe: take.yml", 22, "not a point of no return"),
        ("name: second", "name: first", 16, "two steps 'first'"),
        ("name: second", "name: Second Step", 16, "'name'"),
        ("    on: source\n    effect: once", "    on: vault\n    effect: once", 18, "unknown role 'vault'"),
        ("  on: source\n  take", "  on: jump\n  take", 6, "unknown role 'jump'"),
        ("source: asset", "source: moon", 4, "'source' is 'moon' but must be"),
        ("source: asset", "source: vault", 3, "no role is the asset itself"),
        ("deadline_s: 60", "deadline_s: 0", 23, "'deadline_s'"),
        ("deadline_s: 60", "deadline_s: -5", 23, "'deadline_s'"),
        ("deadline_s: 60", "deadline_s: 1e3", 23, "'deadline_s'"),
        ("deadline_s: 60", "deadline_s: 9999999", 23, "'deadline_s'"),
        ("title: First", "title: no", 11, "'title' must be text"),
        ("ansible: modern", "ansible: ancient", 2, "'ansible'"),
        ("playbook: take.yml\n    undo: take.yml\n    probe", "undo: take.yml\n    probe", 16, "'playbook' is missing"),
        ("title: Try\n", "title: Try\ntitle: Again\n", 2, "the key 'title' occurs twice"),
        ("title: Try", "title: &a Try", 1, "anchors and aliases are not allowed"),
        ("title: Try", "title: !!python/object/apply:os.system [id]", 1, "is not allowed"),
        ("title: Try", "title: !unsafe Try", 1, "the tag !unsafe is not allowed"),
        ("ansible: modern", "ansible: [", 4, "expected"),
        ("steps:\n", "---\nsteps:\n", 9, "second document"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_with_its_line(folder: Path, old: str, new: str, line: int, what: str) -> None:
    change(folder, old, new)
    name, found_line, said = refused(folder)
    assert (name, found_line) == ("runbook.yml", line), said
    assert what in said


@pytest.mark.parametrize(
    "path", ["../take.yml", "/etc/passwd", "a/../../take.yml", "take", "take.yml\n", "~/x.yml", "-x.yml", ""]
)
def test_a_playbook_path_out_of_the_folder_is_refused(folder: Path, path: str) -> None:
    change(folder, "probe: take.yml", f"probe: {path!r}")
    name, line, said = refused(folder)
    assert (name, line) == ("runbook.yml", 22 if path else 16), said


def test_a_missing_playbook_is_named_where_it_is_mentioned(folder: Path) -> None:
    change(folder, "probe: take.yml", "probe: gone.yml")
    assert refused(folder) == ("runbook.yml", 22, "there is no playbook gone.yml")


def link_out(folder: Path) -> None:
    (folder / "out.yml").symlink_to("/etc/hostname")


def link_directory(folder: Path) -> None:
    (folder / "tasks").symlink_to(folder.parent)


@pytest.mark.parametrize("make", [link_out, link_directory])
def test_symbolic_links_are_refused_wherever_they_are(folder: Path, make: Change) -> None:
    make(folder)
    assert refused(folder)[2] == "it is a symbolic link"


@pytest.mark.parametrize(
    ("play", "line", "what"),
    [
        ("- hosts: localhost\n  gather_facts: false\n", 1, "hosts: all"),
        ("- hosts: all\n", 1, "gather_facts: false"),
        ("- import_playbook: /etc/other.yml\n", 1, "hosts: all"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", 1, "no list of plays"),
        ("", 1, "no list of plays"),
        ("- hosts: all\n  gather_facts: false\n- hosts: '*'\n  gather_facts: false\n", 3, "hosts: all"),
        ("- hosts: all\n  vars: {a: &x [1], b: [*x, *x]}\n", 2, "anchors and aliases"),
        ("- hosts: all\n\tgather_facts: false\n", 2, ""),
    ],
)
def test_a_playbook_that_is_no_list_of_plays_for_the_runs_hosts_is_refused(
    folder: Path, play: str, line: int, what: str
) -> None:
    (folder / "take.yml").write_text(play)
    name, found_line, said = refused(folder)
    assert (name, found_line) == ("take.yml", line), said
    assert what in said


def test_an_alias_bomb_is_refused_at_once(folder: Path) -> None:
    levels = "".join(f"k{n}: &k{n} [*k{n - 1}, *k{n - 1}]\n" for n in range(2, 40))
    (folder / "runbook.yml").write_text("k1: &k1 [x, x]\n" + levels)
    assert refused(folder) == ("runbook.yml", 1, "anchors and aliases are not allowed")


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 3000 + "]" * 3000, "a: [" + "1, " * 20_000 + "1]", "# " + "x" * 300_000]
)
def test_too_deep_too_many_and_too_large_are_refused(folder: Path, text: str) -> None:
    (folder / "runbook.yml").write_text(text)
    assert refused(folder)[:2] == ("runbook.yml", 1)


def test_text_that_is_not_utf8_is_named_with_its_line(folder: Path) -> None:
    (folder / "runbook.yml").write_bytes(b"title: Try\nansible: \xff\n")
    assert refused(folder) == ("runbook.yml", 2, "the text is not UTF-8")


@pytest.mark.parametrize("name", ["Library Of Mine", "plugins", "library", "-x"])
def test_a_folder_name_that_is_no_runbook_name_is_refused(folder: Path, name: str) -> None:
    shutil.copytree(folder, folder.parent / name)
    assert "no runbook name" in refused(folder.parent / name)[2]


def test_ones_own_runbook_goes_before_a_shipped_one(tmp_path: Path, folder: Path) -> None:
    own = tmp_path / "runbooks" / "replace-workstation"
    shutil.copytree(folder, own)
    assert find_runbook("replace-workstation", state_dir=tmp_path) == own
    assert find_runbook("replace-workstation", state_dir=tmp_path / "other") == SHIPPED / "replace-workstation"
    assert ("replace-workstation", own) in known_runbooks(state_dir=tmp_path)


@pytest.mark.parametrize("name", ["gone", "../replace-workstation", "library", "", "a" * 500, "replace-workstation/"])
def test_an_unknown_runbook_is_said_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunbookUnknown):
        find_runbook(name, state_dir=tmp_path)


BY_HAND = """\
title: At the desk
ansible: modern
roles:
  source: asset
baseline:
  on: source
  checklist: [programs in use are noted]
steps:
  - name: exchange
    title: Exchange the machine
    kind: manual
    on: source
    effect: once
    present: technician and user
    checklist: [old machine is off, new machine shows the logon]
    undo_checklist: [old machine shows the logon]
"""


def test_a_runbook_may_be_work_of_people_alone(tmp_path: Path) -> None:
    folder = tmp_path / "at-the-desk"
    folder.mkdir()
    (folder / "runbook.yml").write_text(BY_HAND)
    found = load_runbook(folder)
    assert found.steps[0].checklist == ("old machine is off", "new machine shows the logon")
    assert found.steps[0].present == "technician and user" and found.steps[0].has_undo
    assert found.baseline.checklist == ("programs in use are noted",) and not found.touches_machines


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("    checklist: [old machine is off, new machine shows the logon]\n", "", 9, "needs 'checklist'"),
        ("    undo_checklist: [old machine shows the logon]\n", "", 9, "needs 'undo_checklist'"),
        ("    effect: once\n", "    effect: once\n    playbook: x.yml\n", 14, "'playbook' makes no sense"),
        ("    kind: manual\n", "", 14, "'checklist' makes no sense"),
        ("    kind: manual\n", "    kind: magic\n", 11, "must be 'playbook', 'manual' or 'external'"),
        ("  checklist: [programs in use are noted]\n", "  take: take.yml\n", 5, "'compare' is missing"),
        ("  checklist: [programs in use are noted]\n", "  checklist: ['']\n", 7, "entry 1"),
        ("[old machine shows the logon]", '["well\\n  2. forged"]', 16, "one line of printable"),
        ("technician and user", '" \\t"', 14, "one line of printable"),
        ("Exchange the machine", '"Exchange \\u202e"', 10, "one line of printable"),
        ("  on: source\n  check", "  on: source\n  take: take.yml\n  check", 7, "'take' makes no sense"),
    ],
)
def test_work_of_people_and_playbooks_are_not_mixed_in_one_step(
    tmp_path: Path, old: str, new: str, line: int, what: str
) -> None:
    folder = tmp_path / "at-the-desk"
    folder.mkdir()
    assert old in BY_HAND
    (folder / "runbook.yml").write_text(BY_HAND.replace(old, new, 1))
    found = refused(folder)
    assert what in found[2] and found[:2] == ("runbook.yml", line)


def test_what_retires_says_so_and_has_no_successor(folder: Path) -> None:
    text = TEXT.replace("ansible: modern\n", "ansible: modern\nretires: true\n")
    (folder / "runbook.yml").write_text(text)
    assert load_runbook(folder).retires and load_runbook(folder).leaves_old_machine
    (folder / "runbook.yml").write_text(text.replace("  source: asset\n", "  source: asset\n  target: successor\n"))
    assert refused(folder)[2] == "what retires goes without a successor"
    assert not load_runbook(SHIPPED / "replace-workstation").retires
    assert load_runbook(SHIPPED / "retire-asset").retires


def test_the_virtual_machine_of_the_handbook_is_a_runbook_that_holds_to_every_rule(tmp_path: Path) -> None:
    text = (SHIPPED.parent / "docs/runbooks.md").read_text()
    chapter = text.split("### A virtual machine", 1)[1].split("\n## ", 1)[0]
    made = tmp_path / "move-vm"
    (made / "library").mkdir(parents=True)
    for block in chapter.split("```")[1::2]:
        first, content = block.split("\n", 2)[1:]
        (made / first.removeprefix("# ").split(";")[0]).write_text(content)
    shutil.copy(made / "start.yml", made / "back.yml")
    shutil.copy(SHIPPED / "retire-asset/fingerprint.yml", made / "fingerprint.yml")
    shutil.copy(SHIPPED / "retire-asset/compare-with-baseline.yml", made / "compare.yml")
    found = load_runbook(made)
    (move,) = found.steps
    assert (move.external, move.every_s, found.touches_machines) == (True, 30, True)
    compile((made / "library/kahn_move_vm.py").read_text(), "kahn_move_vm", "exec")


def test_only_what_works_on_the_old_machine_leaves_it_to_be_erased() -> None:
    """A wave that installs the successor leaves the old machine in use: nobody may be told to erase it."""
    shipped = {path.parent.name: load_runbook(path.parent) for path in SHIPPED.glob("*/runbook.yml")}
    assert {name for name, one in shipped.items() if not one.leaves_old_machine} == {"install-machine"}
