"""XML is read so that it can neither fetch, nor expand, nor nest without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.sources.limits import BrokenFile, FileUnreadable
from inventory.sources.xml_text import root_name, xml_document

HERE = Path("scan.xml")
LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<nmaprun><host>&c;</host></nmaprun>"
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        '<!DOCTYPE nmaprun SYSTEM "http://127.0.0.1/x.dtd"><nmaprun/>',
        '<!DOCTYPE nmaprun [<!ENTITY x SYSTEM "file:///etc/passwd">]><nmaprun>&x;</nmaprun>',
        '<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><nmaprun/>',
        "<!DOCTYPE nmaprun><!DOCTYPE nmaprun [<!ELEMENT a ANY>]><nmaprun/>",
    ],
)
def test_declared_entities_and_types_are_refused(text: str) -> None:
    with pytest.raises((FileUnreadable, BrokenFile)):
        xml_document(HERE, text)


def test_a_bare_declaration_as_scanners_write_it_is_harmless() -> None:
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n<!-- a comment -->\n<nmaprun><host/></nmaprun>'
    assert (root_name(text), xml_document(HERE, text).tag) == ("nmaprun", "nmaprun")


def test_the_encoding_it_claims_is_not_heeded_once_decoded() -> None:
    assert xml_document(HERE, '<?xml version="1.0" encoding="UTF-16"?><a>ü</a>').text == "ü"


def test_a_mistake_is_named_with_its_line() -> None:
    with pytest.raises(BrokenFile, match="row 2"):
        xml_document(HERE, "<a>\n<b></a>")


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(BrokenFile):
        xml_document(HERE, "<a>" * 60 + "</a>" * 60)


@pytest.mark.parametrize("text", ["", "a;b", "{}", "<", "<!-- x", "<?xml"])
def test_what_is_no_xml_has_no_root(text: str) -> None:
    assert root_name(text) == ""
