"""What every command has at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.table import Table

from inventory.errors import ExpectedError
from orchestrator.cli.context import Context, NoKeyFile, NoPerson, NotConfirmed, Out, harmless
from orchestrator.settings import CONFIG_NAME, example_config

HOSTILE = "\x1b]0;owned\x07\r\x1b[2J\x00\x9b31m\u202e\u2028\ud800"


def a_context(folder: Path, **options: object) -> Context:
    (folder / CONFIG_NAME).write_text(example_config())
    return Context(home=folder, **options)  # type: ignore[arg-type]


def test_control_characters_are_shown_and_never_obeyed() -> None:
    assert harmless("Straße\n\tok") == "Straße\n\tok"
    shown = harmless(HOSTILE)
    assert shown.isprintable() and "\\x1b" in shown


@pytest.mark.parametrize("text", ["[red]x[/]", "[/nothing]", "2001:db8:a:b::1", ":bug:", "C:\\", "{0}", "100 %", "[[]"])
def test_text_is_printed_as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = Out(as_json=False, is_plain=True)
    out.line(text)
    out.warn(text)
    assert capsys.readouterr() == (f"{text}\n", f"{text}\n")


def test_a_table_shows_an_ipv6_address_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("address")
    table.add_row("2001:db8:a:b::1")
    Out(as_json=False, is_plain=True).rich(table)
    assert "2001:db8:a:b::1" in capsys.readouterr().out


def test_with_json_there_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    out = Out(as_json=True, is_plain=False)
    out.line("for people")
    out.rich(Table("for people"))
    out.json({"name": HOSTILE[:5]})
    assert json.loads(capsys.readouterr().out) == {"name": HOSTILE[:5]}


@pytest.mark.parametrize("name", ["", "../x", "Stadt", "-x", "a" * 40, "x y", "stadt\n"])
def test_what_cannot_be_a_tenant_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExpectedError, match=r"CLI-00[36]"):
        assert a_context(tmp_path, tenant_name=name).tenant


def test_whoever_acts_is_named_by_option_or_variable_and_has_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAHN_PERSON", raising=False)
    key = tmp_path / "key"
    key.touch()
    with pytest.raises(NoPerson):
        a_context(tmp_path).signer("", key)
    with pytest.raises(NoKeyFile, match="gone"):
        a_context(tmp_path).signer("anna", tmp_path / "gone")
    monkeypatch.setenv("KAHN_PERSON", "bert")
    assert a_context(tmp_path).signer("", key) == ("bert", key)
    assert a_context(tmp_path).signer("anna", key) == ("anna", key)


def test_where_nobody_can_answer_nothing_is_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open("/dev/null", encoding="ascii"))  # noqa: SIM115
    with pytest.raises(NotConfirmed):
        a_context(tmp_path).confirm("Really?")
    a_context(tmp_path, yes=True).confirm("Really?")
