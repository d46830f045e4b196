"""The PowerShell of a seat can be read, and asks only for what its documentation names. It was never run anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from tree_sitter import Language, Node, Parser
from tree_sitter_powershell import language

from orchestrator.adapters.runbooks import SHIPPED

MODULE = SHIPPED / "library/kahn_windows_seat.ps1"
SCRIPTS = sorted(one for top in (SHIPPED, SHIPPED.parent / "orchestrator") for one in top.rglob("*.ps*1"))


def broken(node: Node) -> list[str]:
    """Places that are no PowerShell."""
    here = [f"line {node.start_point[0] + 1}: {node.text!r:.60}"] if node.is_error or node.is_missing else []
    return here + [one for child in node.children for one in broken(child)]


def parsed(text: bytes) -> Node:
    return Parser(Language(language())).parse(text).root_node


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_is_powershell_by_its_grammar(script: Path) -> None:
    assert broken(parsed(script.read_bytes())) == []


def test_the_grammar_sees_what_is_none() -> None:
    assert broken(parsed(b"if ($x { 'a' }"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_ascii_so_that_no_code_page_can_change_them(script: Path) -> None:
    script.read_text(encoding="ascii")


def test_the_module_takes_exactly_what_is_documented() -> None:
    text = MODULE.read_text(encoding="ascii")
    documented = yaml.safe_load(MODULE.with_suffix(".yml").read_text())["DOCUMENTATION"]["options"]
    spec = text[text.index("options = @{") : text.index("supports_check_mode")]
    taken = set(re.findall(r"^        (\w+) = @\{", spec, re.MULTILINE))
    assert taken == set(documented)
    states = re.findall(r"'(\w+)'", spec[spec.index("choices") :].split(")")[0])
    assert states == documented["state"]["choices"]
    assert set(states) == set(re.findall(r"^        '(\w+)' \{", text, re.MULTILINE))


def test_every_cause_of_the_module_has_words() -> None:
    from orchestrator.core.causes import CAUSES

    named = set(re.findall(r"-Cause '(\w+)'|\{ '(\w+)' \}", MODULE.read_text()))
    causes = {one for pair in named for one in pair if one} - {"bad_asset"}
    assert causes <= set(CAUSES)


def test_the_password_of_the_share_is_never_logged() -> None:
    assert re.search(r"share_password = @\{ type = 'str'; no_log = \$true \}", MODULE.read_text())


def functions() -> dict[str, str]:
    """Each function's text by its name."""
    found = {}
    for node in parsed(MODULE.read_bytes()).children:
        for one in (node, *node.children):
            if one.type == "function_statement":
                text = one.text.decode()  # type: ignore[union-attr]
                found[text.split()[1]] = text
    return found


def test_only_one_place_writes_files_and_it_puts_them_in_place_by_rename() -> None:
    """A file under its own name is whole: an undo takes anything else there for somebody's work."""
    told = functions()
    assert [name for name, text in told.items() if "[IO.File]::Copy(" in text] == ["Copy-Whole"]
    whole = told["Copy-Whole"]
    order = [whole.index(one) for one in ("::Copy(", "Get-Digest", "Remove-One -Path $To", "::Move(")]
    assert order == sorted(order)


def test_what_will_come_is_noted_before_the_first_file_and_forgotten_after_the_last() -> None:
    text = functions()["Restore-Seat"]
    order = [
        text.index(one) for one in ("-Name 'coming.sha256' -Of", "Copy-One", "-Name 'placed.sha256' -Of", "Delete(")
    ]
    assert order == sorted(order) and text.index("Stop-Seat") < order[0]
