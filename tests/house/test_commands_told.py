"""Every command that a page or a text for people names exists, with the options that stand behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from orchestrator.cli.main import app
from tests.house.sources import ROOT, nothing_in, python_files

_INLINE = re.compile(r"`kahn ([^`\n#|;>]+)")
_BLOCK = re.compile(r"^    (?:sudo )?kahn ([^`\n#|;>]+)", re.MULTILINE)
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("playbooks/*/README.md")))


@pytest.fixture(scope="module")
def commands() -> Any:
    return typer.main.get_command(app)


def wrong(words: list[str], command: Any) -> Iterator[str]:
    """What of these words ``kahn`` does not know."""
    path = ["kahn"]
    while words:
        word = words.pop(0).strip(",.:)(")
        if word == "--":
            return
        if word.startswith("--"):
            name = word.split("=")[0].strip("[]")
            known = {one: param for param in command.params for one in (*param.opts, *param.secondary_opts)}
            if name not in known and name != "--help":
                yield f"{' '.join(path)} has no option {name}"
            elif len(path) == 1 and words and "=" not in word and not known[name].is_flag:
                words.pop(0)
        elif hasattr(command, "commands") and re.fullmatch(r"[a-z-]+", word):
            if word not in command.commands:
                yield f"{' '.join(path)} has no command {word}"
                return
            path.append(word)
            command = command.commands[word]


def test_every_command_that_people_are_told_exists(commands: Any) -> None:
    """A hint that leads nowhere costs a tired person more than none."""
    found = set()
    for path in (*PAGES, *(ROOT / one for one in python_files("orchestrator", "inventory"))):
        text = path.read_text(encoding="utf-8")
        for told in (*_INLINE.findall(text), *(_BLOCK.findall(text) if path.suffix == ".md" else ())):
            found |= {f"{path.relative_to(ROOT)}: {one}" for one in wrong(told.split(), commands)}
    nothing_in(found)


def test_a_command_that_is_not_there_is_noticed(commands: Any) -> None:
    assert list(wrong(["wave", "log", "W01"], commands)) == ["kahn wave has no command log"]
    assert list(wrong(["asset", "list", "--kind", "server"], commands)) == ["kahn asset list has no option --kind"]
