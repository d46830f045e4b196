"""A keytab is read for the realms of the machine's own account, and for nothing else."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.playbooks.modules import shared

keytab = shared("kahn_keytab")


def word(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def entry(realm: str, *parts: str) -> bytes:
    names = struct.pack(">H", len(parts)) + word(realm) + b"".join(map(word, parts))
    whole = names + struct.pack(">IIB", 1, 0, 2) + struct.pack(">H", 18) + word("k" * 32)
    return struct.pack(">i", len(whole)) + whole


def written(place: Path, *entries: bytes) -> str:
    path = place / "krb5.keytab"
    path.write_bytes(b"\x05\x02" + b"".join(entries))
    return str(path)


def test_a_machine_without_a_keytab_is_no_member(tmp_path: Path) -> None:
    assert keytab.membership(str(tmp_path / "krb5.keytab")) == {}


def test_only_the_machines_own_account_counts_and_holes_are_passed_over(tmp_path: Path) -> None:
    hole = struct.pack(">i", -8) + b"\0" * 8
    path = written(
        tmp_path,
        entry("AMT.TEST", "host", "neu-1.amt.test"),
        hole,
        *[entry("AMT.TEST", "NEU-1$")] * 2,
        entry("B.C", "x"),
    )
    assert keytab.membership(path) == {"realm AMT.TEST": "member"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05\x01",
        b"\x05\x02\x7f\xff\xff\xff",
        b"\x05\x02" + struct.pack(">i", 4) + b"\xff\xff\xff\xff",
        b"\x05\x02" + struct.pack(">i", 1) + b"\0",
    ],
)
def test_a_damaged_keytab_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "krb5.keytab").write_bytes(content)
    with pytest.raises(ValueError, match="keytab"):
        keytab.membership(str(tmp_path / "krb5.keytab"))
