"""The German catalogue: finds every text that people see in the sources and keeps orchestrator/locale/de.po in step.

``catalogue.py update`` adds new texts, keeps translations (also of texts that went away, as obsolete lines; ``tidy``
drops those) and lists what is untranslated; ``catalogue.py untranslated`` only lists.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
GERMAN = ROOT / "orchestrator" / "locale" / "de.po"
ROOMS = ("inventory", "orchestrator")
TEMPLATES = (".html", ".j2", ".jinja")
SHOWN_FIELDS = {"says", "remedy"}
SHOWN_TABLES = {
    "WAVE_OUTLOOKS",
    "MOVE_OUTLOOKS",
    "HALTED_OUTLOOKS",
    "PLACES_SAY",
    "SIGNED_SO_FAR",
    "AT_THE_DESK",
    "SINGULAR",
}
REASON_MAKERS = {"unreachable_because", "_problem"}
"""Functions of the inventory that return reasons."""
NO_REASONS = ("ansible_inventory.py", "ssh_options.py", "netbox")
"""Files whose reasons no import ever shows."""
STATE_CLASSES = {"MoveState", "WaveState"}
HEADER = """# German texts of Kahn.
msgid ""
msgstr ""
"Project-Id-Version: spreekahn\\n"
"Language: de\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def texts_of_project() -> dict[str, list[str]]:
    """Every English text that people see, with the files it stands in."""
    found: dict[str, list[str]] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix == ".py":
                source = path.read_text(encoding="utf-8")
                shows_reasons = not (room == "inventory" and path.name.startswith(NO_REASONS))
                texts = [*texts_of_source(source), *(reasons_of_source(source) if shows_reasons else ())]
            elif path.suffix in TEMPLATES:
                texts = list(_texts_of_template(path))
            else:
                continue
            for text in texts:
                places = found.setdefault(text, [])
                if (place := str(path.relative_to(ROOT))) not in places:
                    places.append(place)
    return found


def texts_of_source(source: str) -> Iterator[str]:
    """Texts in one Python file: ``_("...")``, what errors and notices say, help of commands, words for states."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.ClassDef):
            yield from _of_class(node)
        elif isinstance(node, ast.AnnAssign):
            yield from _of_table(node)
        elif isinstance(node, ast.FunctionDef) and any(_is_command(one) for one in node.decorator_list):
            yield from filter(None, [ast.get_docstring(node)])


def reasons_of_source(source: str) -> Iterator[str]:
    """Why something was not taken: what stands for ``why`` in one file of the inventory."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from _reasons_of_call(node)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "why":
            yield from _constants(node.value)
        elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "STRANGERS":
            for pair in getattr(node.value, "elts", ()):
                yield from _constant(pair.elts[1])
        elif isinstance(node, ast.FunctionDef) and node.name in REASON_MAKERS:
            returned = (one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None)
            for value in returned:
                yield from _constants(value)


def _reasons_of_call(call: ast.Call) -> Iterator[str]:
    called = call.func.id if isinstance(call.func, ast.Name) else ""
    if called in ("because", "_invalid") and call.args:
        yield from _constants(call.args[0 if called == "because" else -1])
    for keyword in call.keywords:
        if keyword.arg == "why":
            yield from _constants(keyword.value)


def _constants(node: ast.expr) -> Iterator[str]:
    """The text, or those of every case."""
    if isinstance(node, ast.IfExp):
        yield from (*_constants(node.body), *_constants(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _constants(value)
    else:
        yield from _constant(node)


def _of_call(call: ast.Call) -> Iterator[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in ("_", "gettext") and call.args:
        yield from _constant(call.args[0])
    for keyword in call.keywords:
        if keyword.arg in SHOWN_FIELDS:
            yield from _constant(keyword.value)


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    for line in node.body:
        if not isinstance(line, ast.Assign):
            continue
        target, value = line.targets[0], line.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for one, given in pairs:
            if isinstance(one, ast.Name) and (one.id in SHOWN_FIELDS or node.name in STATE_CLASSES):
                yield from _constant(given)


def _of_table(node: ast.AnnAssign) -> Iterator[str]:
    """Sentences of tables: what happens if nobody acts, what was signed so far, what is said of one thing."""
    if isinstance(node.target, ast.Name) and node.target.id == "SINGULARS":
        for pair in getattr(node.value, "elts", ()):
            yield from _constant(pair.elts[1])
    if isinstance(node.target, ast.Name) and node.target.id in SHOWN_TABLES and isinstance(node.value, ast.Dict):
        for value in node.value.values:
            yield from _constant(value)


def _is_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in ("command", "callback")


def _constant(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip():
        yield node.value


def _texts_of_template(path: Path) -> Iterator[str]:
    with path.open("rb") as opened:
        for _line, message, _comments, _context in extract("jinja2.ext:babel_extract", opened, keywords={"_": None}):
            yield message if isinstance(message, str) else message[0]


def german() -> Catalog:
    """The stored catalogue; empty when there is none yet."""
    if not GERMAN.exists():
        return Catalog(locale="de")
    return read_po(io.BytesIO(GERMAN.read_bytes()), locale="de")


def translations() -> dict[str, str]:
    """English text -> German text, only those that have one."""
    return {str(one.id): str(one.string) for one in german() if one.id and one.string and not one.fuzzy}


def untranslated() -> list[str]:
    """English texts without a German one, sorted."""
    return sorted(set(texts_of_project()) - set(translations()))


def update(*, tidy: bool) -> None:
    """Bring de.po in step with the sources."""
    template = Catalog(locale="de")
    for text, places in texts_of_project().items():
        template.add(text, locations=[(place, 0) for place in places])
    catalogue = german()
    kept = {str(one.id): str(one.string) for one in catalogue.obsolete.values() if one.string}
    catalogue.update(template, no_fuzzy_matching=True)
    for text, string in kept.items():
        entry = catalogue.get(text)
        if entry is not None and not entry.string:
            entry.string = string
    written = io.BytesIO()
    write_po(
        written, catalogue, width=116, omit_header=True, sort_output=True, ignore_obsolete=tidy, include_lineno=False
    )
    GERMAN.parent.mkdir(exist_ok=True)
    GERMAN.write_text(HEADER + written.getvalue().decode("utf-8").lstrip("\n"), encoding="utf-8")


def main() -> int:
    """``update``, ``tidy`` or ``untranslated``; 1 when texts lack a translation."""
    wish = sys.argv[1] if len(sys.argv) > 1 else "untranslated"
    if wish in ("update", "tidy"):
        update(tidy=wish == "tidy")
    lacking = untranslated()
    for text in lacking:
        print(f"untranslated: {text!r}")
    print(f"{len(translations())} texts are translated, {len(lacking)} are not.")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
