"""What people try to import though it is no inventory is refused with what to export instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.sources import read_file
from inventory.sources.limits import FileUnreadable
from tests.inventory.builders import a_file


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"# dmidecode 2.11\nSMBIOS 2.4 present.\n", "Ansible"),
        ("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE]".encode("utf-16"), "opsi"),
        ("\r\n\r\nArpAlwaysSourceRoute=\r\nArpUseEtherSNAP=\r\n".encode("utf-16"), "opsi"),
        (b'<?xml version="1.0" ?><graphml xmlns="http://x"><graph/></graphml>', "dependencies"),
        (b'{\n "$schema": "http://json-schema.org/x",\n "$id": "https://glpi"}', "schema"),
        (b'[\n{\n  "model": "dcim.device",\n  "fields": {}}]', "NetBox"),
        (b"%PDF-1.7\n", "csv"),
        (b"<!DOCTYPE html><html></html>", "csv"),
    ],
)
def test_each_says_what_to_do_instead(tmp_path: Path, content: bytes, word: str) -> None:
    with pytest.raises(FileUnreadable, match=word):
        read_file(a_file(tmp_path, content))
