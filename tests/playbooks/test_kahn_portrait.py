"""The portrait of a machine: coarse, read-only, without secrets, and never silent about what it could not read."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.certificates import a_certificate
from tests.playbooks.modules import shared
from tests.playbooks.test_kahn_keytab import entry

portraits = shared("kahn_portrait")


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_printers_are_told_without_the_passwords_in_their_addresses(tmp_path: Path) -> None:
    write(
        tmp_path,
        "etc/cups/printers.conf",
        "# CUPS\n<DefaultPrinter flur>\nDeviceURI smb://amt:geheim@77@server/flur\n</DefaultPrinter>\n"
        "<Printer keller>\nState Idle\nDeviceURI ipp://drucker/keller\n</Printer>\n",
    )
    assert portraits.printers(str(tmp_path)) == {"flur": "smb://server/flur, default", "keller": "ipp://drucker/keller"}


def test_shares_are_those_offered_and_those_used(tmp_path: Path) -> None:
    write(
        tmp_path,
        "etc/samba/smb.conf",
        "[global]\npath = /nowhere\ninclude = /etc/samba/more.conf\n"
        "[Daten]\n; old\n path = /srv/daten\n[homes]\npath=/x\n",
    )
    # A file that includes itself comes to an end, a name with a macro stands for no file.
    write(tmp_path, "etc/samba/more.conf", "[Ablage]\npath = /srv/a\ninclude = /etc/samba/more.conf\ninclude = /x/%m\n")
    write(tmp_path, "etc/exports", "# none\n/srv/nfs 10.0.0.2(rw) 10.0.0.1(ro)\n")
    write(tmp_path, "proc/self/mounts", "//amt:pw@nas/bilder /mnt/bilder cifs rw 0 0\n/dev/sda1 / ext4 rw 0 0\n")
    assert portraits.shares(str(tmp_path)) == {
        "smb daten": "/srv/daten", "smb ablage": "/srv/a",
        "nfs /srv/nfs": "10.0.0.1(ro) 10.0.0.2(rw)", "mounted /mnt/bilder": "//nas/bilder",
    }  # fmt: skip


def test_the_domain_is_that_of_the_machines_own_keytab(tmp_path: Path) -> None:
    assert portraits.portrait(root=str(tmp_path))["sections"]["domain"] == []
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/krb5.keytab").write_bytes(b"\x05\x02" + entry("AMT.TEST", "APC-1$"))
    assert portraits.portrait(root=str(tmp_path))["sections"]["domain"] == [{"realm AMT.TEST": "member"}]
    (tmp_path / "etc/krb5.keytab").write_bytes(b"garbage")
    assert "no keytab" in portraits.portrait(root=str(tmp_path))["unread"]["domain"]


def test_jobs_count_by_what_they_do_not_by_their_comments(tmp_path: Path) -> None:
    write(tmp_path, "etc/cron.d/one", "# a\n* * * * * root true\n")
    write(tmp_path, "etc/cron.d/two", "* * * * * root true\n\n# b\n")
    write(tmp_path, "etc/cron.d/empty", "# nothing\n")
    write(tmp_path, "var/spool/cron/crontabs/anna", "@daily beat\n")
    found = portraits.jobs(str(tmp_path))
    assert set(found) == {"/etc/cron.d/one", "/etc/cron.d/two", "/var/spool/cron/crontabs/anna"}
    assert found["/etc/cron.d/one"] == found["/etc/cron.d/two"]


def test_certificates_are_named_and_private_keys_are_left_alone(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path)
    for path in ("etc/ssl/amt.pem", "etc/nginx/sites/amt.crt"):
        write(tmp_path, path, certificate.read_text())
    write(tmp_path, "etc/ssl/both.pem", certificate.read_text() + key.read_text())
    write(tmp_path, "etc/ssl/broken.pem", "-----BEGIN CERTIFICATE-----\nnonsense\n")
    found = portraits.certificates(str(tmp_path))
    assert set(found) == {"/etc/ssl/amt.pem", "/etc/nginx/sites/amt.crt", "/etc/ssl/broken.pem"}
    assert found["/etc/ssl/amt.pem"].startswith("commonName=") and ", until 2" in found["/etc/ssl/amt.pem"]
    assert found["/etc/ssl/broken.pem"].startswith("?, until ?")


def test_who_listens_is_told_with_its_program() -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
        name = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
        assert portraits.ports()[f"tcp {port}"] == f"{name}, this machine"
    assert f"tcp {port}" not in portraits.ports()


def test_a_disk_is_told_with_its_use(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/mounts", "/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n")
    (place,) = portraits.mounts(str(tmp_path)).items()
    assert place[0] == "/" and place[1].startswith("ext4 ") and place[1].endswith(" %")


def test_services_are_those_that_run_or_begin_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert portraits.services(str(tmp_path)) == {}, "no systemd"
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/systemctl"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *state=active*) echo "ssh.service loaded active running x"; echo "user@0.service";;\n'
        '*state=failed*) echo "a.service loaded failed";; *enabled*) echo "ssh.service enabled";; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    assert portraits.services(str(tmp_path)) == {"ssh.service": "active enabled", "a.service": "failed"}
    program.write_text("#!/bin/sh\necho kaputt >&2; exit 1\n")
    assert "kaputt" in portraits.portrait(root=str(tmp_path))["unread"]["services"]


def test_a_large_section_travels_in_parts_and_what_finds_no_room_is_counted() -> None:
    kept, left_out = portraits.bounded({"rows": {f"table {n}": n for n in range(400)}, "jobs": {"a": "b"}})
    assert [len(part) for part in kept["rows"]] == [180, 180, 40] and not left_out
    kept, left_out = portraits.bounded({"rows": {"x" * 150 + str(n): n for n in range(1000)}, "jobs": {"a": "b"}})
    assert kept["jobs"] == [{"a": "b"}] and left_out["rows"] > 0
    assert sum(len(part) for part in kept["rows"]) + left_out["rows"] == 1000
    assert len(json.dumps(kept)) < 48_000


def test_hostile_names_come_as_one_printable_line(tmp_path: Path) -> None:
    write(tmp_path, "etc/cron.d/a\nb\x1b[2J", "x\n")
    (tmp_path / "proc/net").mkdir(parents=True)
    found: dict[str, Any] = portraits.portrait(root=str(tmp_path))
    assert all(name.isprintable() for part in found["sections"]["jobs"] for name in part)
    assert len(found["sections"]["jobs"][0]) == 1
