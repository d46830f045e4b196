"""Generated pages equal what the code would generate now."""

from __future__ import annotations

import re

import pytest

import pages
from tests.house.sources import ROOT, nothing_in, python_files

_ENVIRONMENT_READ = re.compile(r"environ(?:\.get\(|\[)\s*\"(KAHN_[A-Z_]+)\"")


@pytest.mark.parametrize("name", sorted(pages.PAGES))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    """`make docs` writes them."""
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == pages.PAGES[name]()


def test_every_variable_that_kahn_reads_stands_in_the_settings_page() -> None:
    read = {
        name for path in python_files("orchestrator", "inventory") for name in _ENVIRONMENT_READ.findall(text(path))
    }
    nothing_in(read - set(pages.ENVIRONMENT) - {"KAHN_RUN"})


def text(path: object) -> str:
    return (ROOT / str(path)).read_text(encoding="utf-8")
