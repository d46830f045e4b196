"""The manifest of the users' files: equal when nothing changed, and it names what did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playbooks.modules import Trouble, cause, module, outcome

manifest = module("kahn_manifest")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a user's files, and the module's store below the test's folder."""
    monkeypatch.setattr(manifest, "store_of", lambda asset: outcome.store_of(asset, str(tmp_path / "store")))
    files = tmp_path / "home" / "jkrause"
    files.mkdir(parents=True)
    (files / "Bürgerbüro 1.txt").write_text("one")
    (files / "link").symlink_to("Bürgerbüro 1.txt")
    return tmp_path / "home"


def test_what_did_not_change_is_equal(home: Path) -> None:
    taken = manifest.take("a1", str(home))
    compared = manifest.compare("a1", str(home), taken["manifest"], "source", 20)
    assert (compared["equal"], compared["entries"], taken["files"]) == (True, taken["entries"], 1)


def test_a_changed_file_is_named(home: Path) -> None:
    taken = manifest.take("a1", str(home))
    (home / "jkrause" / "Bürgerbüro 1.txt").write_text("two!")
    with pytest.raises(Trouble) as trouble:
        manifest.compare("a1", str(home), taken["manifest"], "target", 20)
    assert trouble.value.cause == "manifest_differs"
    assert "Bürgerbüro 1.txt" in trouble.value.facts["differences"][0]
    assert trouble.value.facts["side"] == "target"


def test_a_manifest_that_was_swapped_is_not_believed(home: Path) -> None:
    manifest.take("a1", str(home))
    assert cause(manifest.compare, "a1", str(home), "0" * 64, "target", 20) == "manifest_damaged"


def test_foreign_files_at_the_source_are_a_difference(home: Path) -> None:
    taken = manifest.take("a1", str(home))
    (home / "somebody").mkdir()
    assert cause(manifest.compare, "a1", str(home), taken["manifest"], "source", 20) == "manifest_differs"
