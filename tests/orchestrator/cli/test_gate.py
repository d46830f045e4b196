"""``kahn gate``."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.actions.take_back import UnknownAsset
from orchestrator.cli.context import Context, NoPerson
from orchestrator.cli.gate import app
from orchestrator.cli.gates import BadMoment
from orchestrator.cli.wave import app as waves
from orchestrator.settings import CONFIG_NAME, example_config
from tests.known_town import call, document
from tests.orchestrator.actions.test_confirm_gate import a_strict_town
from tests.town_terminals import sitting_down


def a_desk(folder: Path, *gates: str) -> Context:
    town = a_strict_town(folder, *gates)
    (folder / CONFIG_NAME).write_text(example_config())
    return sitting_down(town)


def verdict(context: Context, gate: str, *words: str) -> str:
    lines = {line["gate"]: line for line in document(waves, context_json(context), "check", "W01", *words)}
    return str(lines[gate]["verdict"])


def context_json(context: Context) -> Context:
    context.json = context.out.as_json = True
    return context


def test_a_gate_is_opened_and_closed_again_by_name(tmp_path: Path) -> None:
    context = a_desk(tmp_path, "staff-council")
    assert "staff-council" in call(app, context, "list").output
    call(app, context, "confirm", "staff-council", "--as", "bert", "--until", "2026-12-31", "--note", "Az. 12")
    output = call(app, context, "list").output
    assert "bert" in output and "2026-12-31" in output
    call(app, context, "withdraw", "staff-council", "--as", "anna")
    assert "withdrawn" in call(app, context, "list").output


def test_bad_words_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAHN_PERSON", raising=False)
    context = a_desk(tmp_path, "hardware", "staff-council")
    with pytest.raises(NoPerson):
        call(app, context, "confirm", "staff-council")
    with pytest.raises(UnknownAsset):
        call(app, context, "confirm", "hardware", "W01", "--asset", "nobody", "--as", "bert")
    for day in ("tomorrow", "2026-13-01", "9999-12-31"):
        with pytest.raises(BadMoment):
            call(app, context, "confirm", "staff-council", "--until", day, "--as", "bert")


def test_only_the_assets_named_are_confirmed(tmp_path: Path) -> None:
    context = a_desk(tmp_path, "hardware")
    call(app, context, "confirm", "hardware", "W01", "--asset", "apc-001", "--as", "bert")
    output = call(waves, context, "check", "W01").output
    assert "one asset stays behind (apc-002)" in output
