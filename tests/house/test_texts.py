"""Every text that people see exists in German, with the same facts in it."""

from __future__ import annotations

import ast
from string import Formatter

import catalogue
from orchestrator.cli.wave_erased import NoCertificate
from orchestrator.core.retention import WaveStillOpen
from orchestrator.texts import _, error_lines, use_language
from tests.house.sources import nothing_in, python_files, tree_of


def facts_of(text: str) -> set[str]:
    return {name.split("!")[0] for _literal, name, _spec, _conversion in Formatter().parse(text) if name is not None}


def test_every_text_is_translated() -> None:
    nothing_in(catalogue.untranslated())


def test_a_translation_names_the_same_facts() -> None:
    nothing_in(
        f"{english!r} -> {german!r}"
        for english, german in catalogue.translations().items()
        if facts_of(english) != facts_of(german)
    )


def test_texts_are_filled_after_translation_never_before() -> None:
    nothing_in(
        f"{path}:{call.lineno}"
        for path in python_files("inventory", "orchestrator")
        for call in ast.walk(tree_of(path))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "_"
        if any(isinstance(word, ast.JoinedStr | ast.BinOp) for word in call.args)
    )


def test_a_reason_with_facts_is_filled_after_translation() -> None:
    nothing_in(
        f"{path}:{keyword.value.lineno}: write because(...)"
        for path in python_files("inventory")
        if not path.name.startswith(catalogue.NO_REASONS)
        for call in ast.walk(tree_of(path))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "why" and isinstance(keyword.value, ast.JoinedStr)
    )


def test_reasons_are_found_wherever_they_stand() -> None:
    source = """
raise RowRefused(why="it has no name")
why = "it is odd" if odd else because("it is {a}", a=1)
raise _invalid(field, text, "it is no number")
def _problem(self):
    return "no column" if x else ""
STRANGERS: tuple[tuple[str, str], ...] = ((r"%PDF", "it is a PDF"),)
"""
    expected = {"it has no name", "it is odd", "it is {a}", "it is no number", "no column", "it is a PDF"}
    assert set(catalogue.reasons_of_source(source)) == expected


def test_a_reason_and_a_state_in_a_german_error_are_german_too() -> None:
    use_language("de")
    try:
        says, _remedy = error_lines(NoCertificate(file="x.pdf", why="it is empty"))
        stands, _remedy = error_lines(WaveStillOpen(wave="running", state="running"))
    finally:
        use_language("en")
    assert says == "x.pdf ist kein Löschnachweis: ist leer."
    assert stands.startswith("Welle running ist im Zustand laufend")


def test_german_is_spoken_once_it_is_chosen() -> None:
    use_language("de")
    try:
        assert _("No tenant was named.") == "Es wurde kein Mandant angegeben."
    finally:
        use_language("en")


def test_the_extraction_finds_calls_errors_notices_states_and_help() -> None:
    source = '''
class Bad(ExpectedError):
    code, says = "X-001", "It is bad."
    remedy = "Mend it."
class MoveState(StrEnum):
    HELD = "held"
@app.command()
def up():
    """Make it."""
    tell(Notice(says="Making {it}.", facts={}))
    print(_("Done " "now."))
'''
    expected = {"It is bad.", "Mend it.", "held", "Make it.", "Making {it}.", "Done now."}
    assert set(catalogue.texts_of_source(source)) == expected
