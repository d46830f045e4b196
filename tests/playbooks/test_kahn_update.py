"""Signed updates: the key file, what an answer means, and a double of a primary that checks signatures by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, shared

update = shared("kahn_update")
SECRET = b"kahn: 32 bytes of a key for test"
TEXT = 'key "Kahn." {\n  algorithm hmac-sha256; // as tsig-keygen writes it\n  secret "%s";\n};\n'
OLD, NEW = update.Record("wohngeld.stadt.example", "10.0.0.1"), update.Record("wohngeld.stadt.example", "10.0.0.2", 60)


def a_key(folder: Path, text: str = TEXT, secret: bytes = SECRET, mode: int = 0o600) -> Any:
    path = folder / "dns.key"
    path.write_text(text % base64.b64encode(secret).decode() if "%s" in text else text)
    path.chmod(mode)
    return update.Key(str(path))


class Primary:
    """Answers every update with one code, signed with a key; ``error`` is what it says of the asker's signature."""

    def __init__(self) -> None:
        self.line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.line.bind(("127.0.0.1", 0))
        self.place = self.line.getsockname()
        self.code, self.error, self.secret, self.signs, self.asked = 0, 0, SECRET, True, b""
        self.silent, self.off_s = False, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                text, who = self.line.recvfrom(4096)
            except OSError:
                return
            self.asked = text
            if not self.silent:
                self.line.sendto(self.answer(text), who)

    def answer(self, text: bytes) -> bytes:
        code = 9 if self.error else self.code
        head = text[:2] + struct.pack(">H", 0xA800 | code)
        if not self.signs:
            return head + b"\0" * 8
        names = b"\4kahn\0", b"\x0bhmac-sha256\0"
        asked_mac = text[-38:-6]
        stamp = struct.pack(">HIH", 0, int(time.time()) + self.off_s, 300)
        variables = names[0] + b"\0\xff\0\0\0\0" + names[1] + stamp + struct.pack(">HH", self.error, 0)
        mac = hmac.new(self.secret, b"\0\x20" + asked_mac + head + b"\0" * 8 + variables, hashlib.sha256).digest()
        body = names[1] + stamp + struct.pack(">H", 32) + mac + text[:2] + struct.pack(">HH", self.error, 0)
        return head + b"\0" * 6 + b"\0\1" + names[0] + struct.pack(">HHIH", 250, 255, 0, len(body)) + body


@pytest.fixture
def primary() -> Iterator[Primary]:
    made = Primary()
    yield made
    made.line.close()


def replaced(primary: Primary, key: Any, then: Any = NEW) -> str:
    return cause(lambda: update.replace(primary.place, key, "stadt.example", OLD, then))


def test_the_key_is_read_as_the_keys_program_writes_it(tmp_path: Path) -> None:
    key = a_key(tmp_path)
    assert (key.name, key.algorithm) == ("kahn", "hmac-sha256")
    assert key.digest(b"x") == hmac.new(SECRET, b"x", hashlib.sha256).digest()


@pytest.mark.parametrize(("text", "secret", "mode"), [
    (TEXT, SECRET, 0o640), (TEXT, SECRET, 0o604), (TEXT, b"short", 0o600), ("", SECRET, 0o600),
    (TEXT.replace("sha256", "md5"), SECRET, 0o600), (TEXT + TEXT.replace("%s", "YQ=="), SECRET, 0o600),
    ('key "k" { algorithm hmac-sha256; secret "a==b=cccc"; };', SECRET, 0o600),
    ('key "k;x" { algorithm hmac-sha256; secret "YWJjZGVmZ2hpamtsbW5vcA=="; };', SECRET, 0o600),
])  # fmt: skip
def test_a_file_that_others_can_read_or_that_holds_no_such_key_is_refused_without_a_word_of_its_secret(
    tmp_path: Path, text: str, secret: bytes, mode: int
) -> None:
    with pytest.raises(Trouble) as found:
        a_key(tmp_path, text, secret, mode)
    assert found.value.cause == "names_key_invalid" and base64.b64encode(secret).decode() not in found.value.says


def test_links_folders_and_what_is_not_there_are_no_key_files(tmp_path: Path) -> None:
    a_key(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "dns.key")
    for name in ("link", "missing", "."):
        assert cause(update.Key, str(tmp_path / name)) == "names_key_invalid"


def test_an_update_names_what_must_stand_there_and_what_shall(tmp_path: Path, primary: Primary) -> None:
    assert replaced(primary, a_key(tmp_path)) == ""
    counts = struct.unpack(">HHHHH", primary.asked[2:12])
    row = b"\x08wohngeld\5stadt\7example\0"
    assert counts == (0x2800, 1, 1, 2, 1) and b"\5stadt\7example\0\0\6\0\1" + row in primary.asked
    assert row + struct.pack(">HHIH", 1, 1, 0, 4) + b"\n\0\0\1" in primary.asked  # this one alone
    assert row + struct.pack(">HHIH", 1, 255, 0, 0) + row + struct.pack(">HHIH", 1, 1, 60, 4) in primary.asked
    assert SECRET not in primary.asked


def test_whether_it_could_be_changed_is_asked_without_a_change(tmp_path: Path, primary: Primary) -> None:
    assert replaced(primary, a_key(tmp_path), None) == ""
    assert struct.unpack(">HHHHH", primary.asked[2:12]) == (0x2800, 1, 1, 0, 1)


@pytest.mark.parametrize(("code", "error", "wanted"), [
    (8, 0, "names_changed"), (3, 0, "names_changed"), (5, 0, "names_refused"), (9, 0, "names_not_primary"),
    (4, 0, "names_not_primary"), (10, 0, "names_not_primary"), (2, 0, "names_unanswered"),
    (0, 16, "names_key_wrong"), (0, 17, "names_key_wrong"), (0, 18, "names_clock_wrong"),
])  # fmt: skip
def test_each_refusal_has_its_cause(tmp_path: Path, primary: Primary, code: int, error: int, wanted: str) -> None:
    primary.code, primary.error = code, error
    assert replaced(primary, a_key(tmp_path)) == wanted


def test_a_good_answer_counts_only_with_its_signature_and_in_time(tmp_path: Path, primary: Primary) -> None:
    key = a_key(tmp_path)
    for wrong in ({"signs": False}, {"secret": b"another secret of thirty-two byt"}, {"off_s": 4000}):
        for name, value in {"signs": True, "secret": SECRET, "off_s": 0, **wrong}.items():
            setattr(primary, name, value)
        assert replaced(primary, key) == "names_key_wrong", wrong


def test_a_server_that_says_nothing_or_is_not_there_is_named(
    tmp_path: Path, primary: Primary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "ANSWER_S", 0.3)
    primary.silent = True
    assert replaced(primary, a_key(tmp_path)) == "names_unanswered"
    primary.line.close()
    assert replaced(primary, a_key(tmp_path)) == "names_unanswered"
