"""Network shares of fstab: what is taken over from an old host, and what is not."""

from __future__ import annotations

import pytest

from tests.playbooks.modules import shared

shares = shared("kahn_shares")
CIFS = "//datei01.stadt.example/Bauamt /mnt/bauamt cifs rw,vers=3.0,credentials=/root/.smb 0 0\n"
SECRET = "username=bauamt\npassword = geheim#1\ndomain=STADT\n"


def taken(text: str, secret: str | None = SECRET) -> tuple[list[str], list[str]]:
    found, left = shares.read(text, lambda path: secret)
    return [shares.line_of(one) for one in found], left


def test_a_share_is_mounted_without_trust_in_its_files_and_with_a_password_file_of_our_own() -> None:
    lines, left = taken("# no\nUUID=1 / ext4 defaults 0 1\n" + CIFS)
    assert left == [] and len(lines) == 1
    options = lines[0].split()[3].split(",")
    assert {"nosuid", "nodev", "nofail", "rw", "vers=3.0"} < set(options)
    assert next(one for one in options if "credentials" in one).startswith("credentials=/etc/kahn-shares/")


def test_nfs_needs_no_password() -> None:
    assert taken("nfs01:/export/plan /srv/plan nfs4 ro,soft 0 0\n", None)[1] == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("//a/b /etc cifs rw 0 0", "it is not below"),
        ("//a/b /mnt/../etc cifs rw 0 0", "it is not below"),
        ("//a/b /mnt/\\056\\056/etc cifs rw 0 0", "its place is written with signs as numbers"),
        ("//a/b /home/anna/netz cifs rw 0 0", "it is not below"),
        ("//a/b /mnt/b cifs rw,password=geheim 0 0", "where everybody can read it"),
        ("//a/b /mnt/b cifs rw,suid 0 0", "option suid is not known"),
        ("//a/b /mnt/b cifs rw,x-systemd.requires=evil.service 0 0", "option x-systemd.requires is not known"),
        ("sshfs#a@b:/ /mnt/b fuse.sshfs rw 0 0", "its kind is not taken over"),
        ("-o /mnt/b nfs rw 0 0", "its name is not usable"),
        ("-o:/x /mnt/b nfs rw 0 0", "its name is not usable"),
    ],
)
def test_what_is_not_plainly_harmless_is_left_to_people(line: str, why: str) -> None:
    lines, left = taken(line + "\n")
    assert lines == [] and why in left[0] and "geheim" not in left[0]


@pytest.mark.parametrize(
    "secret", ["root:x:0:0::/root:/bin/sh\n", "username=a\nALL ALL=(ALL) ALL\n", "username=" + "a" * 5000]
)
def test_a_password_file_that_is_something_else_is_not_taken_over(secret: str) -> None:
    assert taken(CIFS, secret)[0] == []


@pytest.mark.parametrize("option", ["credentials=/root/.smb", "cred=/etc/kahn-shares/0123456789abcdef"])
def test_an_old_host_names_no_password_file_of_its_successor(option: str) -> None:
    """Else its own server would be shown a password that lies on the successor."""
    found, _ = shares.read(CIFS, lambda path: "")
    told = {**found[0], "options": ["rw", option]}
    assert "is not known" in shares.wrong(told) and shares.wrong(found[0]) == ""


def test_a_password_file_that_cannot_be_read_is_said() -> None:
    assert "cannot be read" in taken(CIFS, None)[1][0]


def test_lines_are_added_and_taken_away_exactly() -> None:
    before = "UUID=1 / ext4 defaults 0 1"
    lines = taken(CIFS)[0]
    assert shares.without(shares.added(before, lines), lines) == before + "\n"
