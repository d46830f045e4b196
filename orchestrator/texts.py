"""Texts for people: English in the sources, other languages from the catalogues beside this file."""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path

from inventory.errors import ExpectedError
from inventory.observation import Place, Refusal
from orchestrator.singular import NUMBERS, SINGULAR, counted

CATALOGUES = Path(__file__).parent / "locale"
LANGUAGES = ("en", "de")
WORDS = ("why", "state")
_ENGLISH = gettext.NullTranslations()
_current: ContextVar[gettext.NullTranslations] = ContextVar("translations", default=_ENGLISH)


def use_language(language: str) -> None:
    """Choose the language of every text from here on; unknown languages fall back to English."""
    _current.set(_load(language))


def _load(language: str) -> gettext.NullTranslations:
    source = CATALOGUES / f"{language}.po"
    if language == "en" or language not in LANGUAGES or not source.exists():
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as opened:
        catalogue = read_po(opened, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(message: str) -> str:
    """The text in the chosen language; an untranslated text stays English. Filled in with a number of one, some texts
    speak in the singular."""
    if not message:
        return ""
    text = _current.get().gettext(message)
    one = SINGULAR.get(message)
    return text if one is None else counted(text, number=NUMBERS[message], one=_current.get().gettext(one))


def error_lines(error: ExpectedError) -> tuple[str, str]:
    """What went wrong and what to do about it, in the chosen language."""
    facts = _spoken_facts(error.facts)
    return _(error.says).format(**facts), _(error.remedy).format(**facts)


def spoken_refusal(refusal: Refusal) -> Refusal:
    """The refusal saying what is wrong, and what to do, in the chosen language."""
    says, remedy = refusal.templates
    if not says:
        return refusal
    facts = _spoken_facts(refusal.facts)
    return replace(refusal, says=_(says).format(**facts), remedy=_(remedy).format(**facts))


def spoken_place(place: Place) -> str:
    """File, row and column in the chosen language."""
    return str(_spoken(place))


def _spoken_facts(facts: Mapping[str, object]) -> dict[str, object]:
    """Reasons and states are words of ours, translated too; all else is told as it came."""
    return {name: _(fact) if name in WORDS and type(fact) is str else _spoken(fact) for name, fact in facts.items()}


def _spoken(fact: object) -> object:
    """A fact that is a sentence itself (``says`` and ``facts``) in the chosen language; any other as it is."""
    says, facts = getattr(fact, "says", None), getattr(fact, "facts", None)
    if not isinstance(says, str) or not isinstance(facts, Mapping):
        return fact
    return _(says).format(**_spoken_facts(facts))
