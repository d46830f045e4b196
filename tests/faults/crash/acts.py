"""The boundaries outside a night: single acts, killed on both sides of each step and done again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from inventory.ansible_inventory import Emitted
from inventory.model import TenantId
from orchestrator.adapters import migrations
from orchestrator.adapters.adopt import Wish, adopt
from orchestrator.adapters.backup import make_backup, restore_backup
from orchestrator.adapters.backup_file import unpack_backup
from orchestrator.adapters.credentials import ANSIBLE_VAULT, read_credentials
from orchestrator.adapters.estate_files import estate_places, keep_proofs
from orchestrator.adapters.joined_runbook import join_runbooks
from orchestrator.adapters.netboot_folder import MAX_EVENTS_BYTES, BootFolder
from orchestrator.adapters.notice_command import run_command
from orchestrator.adapters.notice_mail import _connected
from orchestrator.adapters.plan_file import write_plan_file
from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.adapters.ssh_line import connected
from orchestrator.adapters.store import DatabaseStore
from orchestrator.adapters.store_copy import copy_rows, made_store, reading_store
from orchestrator.cli.report import write_whole
from orchestrator.core.contacts_file import CommandChannel, MailChannel
from orchestrator.core.netboot import Told
from orchestrator.core.notices import Letter
from orchestrator.supervisor import boundary

Act = Callable[[Path], None]
_MAC = "52:54:00:00:00:07"
Check = Callable[[Path], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """An act, and whether what it leaves is whole: asked after a death (nothing, or all) and after its repetition."""

    act: Act
    after_death: Check
    at_the_end: Check


def _report(place: Path) -> None:
    write_whole(place / "report.html", "new" * 1000)


def _plan(place: Path) -> None:
    write_plan_file(place / "plan.csv", [], waves={}, german=False)


def _adopt(place: Path) -> None:
    with suppress(FileExistsError):
        (place / "mine").mkdir()
        (place / "mine" / "site.yml").write_text("- hosts: web\n  tasks: []\n")
        git = ("git", "-C", str(place / "mine"), "-c", "user.name=t", "-c", "user.email=t@t.example")
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "x")):
            subprocess.run((*git, *words), check=True, capture_output=True)
    if not (place / "shelf" / "site").exists():
        wish = Wish(playbook="site.yml", repository=str(place / "mine"), commit="HEAD")
        adopt(wish, shelf=place / "shelf", name="site")


def _credentials(place: Path) -> None:
    """A file of ansible-vault, opened in memory; what is left behind names the profiles and no secret."""
    password, file = place / "password", place / "credentials.yml"
    password.write_text("open sesame\n")
    file.write_text("old: {password: geheim}\n")
    encrypt = (ANSIBLE_VAULT, "encrypt", "--vault-password-file", password, file)
    subprocess.run(encrypt, check=True, capture_output=True)
    found = read_credentials(file, password_file=password, profiles=("old",))
    (place / "profiles").write_text(" ".join(found))


def _backup(place: Path) -> None:
    """A backup of one store and its restoring into an empty directory, and the way that leads through PostgreSQL."""
    home, new, copied = place / "home", place / "new", place / "copied"
    home.mkdir(exist_ok=True)
    url = f"sqlite:///{home}/kahn.sqlite"
    DatabaseStore.create_or_upgrade(url).close()
    if not (place / "b.kahn").exists():
        make_backup(place / "b.kahn", home=home, url=url, facts={}, secrets=())
    if not new.exists() or not any(new.iterdir()):
        restore_backup(place / "b.kahn", new, url="")
    copied.unlink(missing_ok=True)
    with reading_store(url) as old, made_store(f"sqlite:///{copied}", revision=migrations.newest()) as other:
        copy_rows(old, other)


def _backup_is_whole(place: Path) -> bool:
    """What is there under its name is whole: the archive, and the restored directory."""
    if (place / "b.kahn").exists():
        unpack_backup(place / "b.kahn", Path(tempfile.mkdtemp(dir=place)))
    new = place / "new"
    return not new.exists() or not any(new.iterdir()) or (new / "kahn.sqlite").exists()


def _hosts(place: Path) -> None:
    places, _shared = estate_places(place, TenantId("stadt"))
    keep_proofs(places, Emitted(inventory="", known_hosts="pc-1 ssh-ed25519 AAAA\n"))


def _command(place: Path) -> None:
    letter = Letter(
        id="n-1", tenant=TenantId("stadt"), kind="held", wave="W01", at=datetime(2026, 1, 1, tzinfo=UTC), to="anna",
        subject="held", text="held",
    )  # fmt: skip
    argv = ("/bin/sh", "-c", f"cat > {place}/letter.$$ && mv {place}/letter.$$ {place}/letter")
    run_command(CommandChannel(name="page", argv=argv, timeout_s=300), letter)


def _mail(place: Path) -> None:
    with _greeter() as port:
        _connected(MailChannel(name="mail", host="127.0.0.1", port=port, tls="none", sender="k@x.example"), place)


def _scan(place: Path) -> None:
    with _greeter() as port:
        connected("127.0.0.1", port, within_s=120).close()


def _join(place: Path) -> None:
    if not (place / "shelf/both").exists():
        join_runbooks(SHIPPED / "install-machine", SHIPPED / "replace-workstation", shelf=place / "shelf", name="both")


def _boot(place: Path) -> None:
    """What the boot server keeps of one machine; its notes are full already."""
    folder = BootFolder.made(place / "boot", "")
    (folder.place / "events.jsonl").write_text("x" * (MAX_EVENTS_BYTES + 1))
    folder.make_key(_MAC)
    folder.put_installer(b"kernel", b"initrd")
    folder.keep(_MAC, Told(order="o1", percent=7))
    folder.note("asked")


def _boot_is_whole(place: Path) -> bool:
    """The record is there whole or not at all, and a public key never without its private half."""
    told, key = place / "boot/told/52-54-00-00-00-07.json", place / "boot/keys/52-54-00-00-00-07"
    pair = not key.with_suffix(".pub").exists() or key.exists()
    return pair and (not told.exists() or json.loads(told.read_text())["percent"] == 7)


def _doctor(place: Path) -> None:
    from typer.testing import CliRunner

    from orchestrator.cli.main import app

    home = str(place / "home")
    CliRunner().invoke(app, ["--home", home, "init", home])
    CliRunner().invoke(app, ["--home", home, "doctor"])


class _greeter:
    """A server that says one line of SMTP to whoever comes."""

    def __enter__(self) -> int:
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._server.getsockname()[1])

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                one, _address = self._server.accept()
                one.sendall(b"220 here\r\n")

    def __exit__(self, *_of: object) -> None:
        self._server.close()


def _anything(_place: Path) -> bool:
    return True


def _old_or_new(place: Path) -> bool:
    path = place / "report.html"
    return not path.exists() or path.read_text() == "new" * 1000


SINGLES: Mapping[str, Single] = {
    "report": Single(
        act=_report,
        after_death=_old_or_new,
        at_the_end=lambda place: _old_or_new(place) and (place / "report.html").exists(),
    ),
    "plan file": Single(act=_plan, after_death=_anything, at_the_end=lambda place: (place / "plan.csv").exists()),
    "backup": Single(
        act=_backup, after_death=_backup_is_whole, at_the_end=lambda place: (place / "new/kahn.sqlite").exists()
    ),
    "known hosts": Single(
        act=_hosts,
        after_death=_anything,
        at_the_end=lambda place: (place / "inventory/stadt.known_hosts").read_text().startswith("pc-1"),
    ),
    "adopted runbook": Single(
        act=_adopt,
        after_death=lambda place: not (place / "shelf/site").exists() or (place / "shelf/site/runbook.yml").exists(),
        at_the_end=lambda place: (place / "shelf/site/runbook.yml").exists(),
    ),
    "credentials": Single(
        act=_credentials, after_death=_anything, at_the_end=lambda place: (place / "profiles").read_text() == "old"
    ),
    "notice by command": Single(
        act=_command, after_death=_anything, at_the_end=lambda place: "held" in (place / "letter").read_text()
    ),
    "notice by mail": Single(act=_mail, after_death=_anything, at_the_end=_anything),
    "scan": Single(act=_scan, after_death=_anything, at_the_end=_anything),
    "joined runbook": Single(
        act=_join,
        after_death=lambda place: not (place / "shelf/both").exists() or (place / "shelf/both/runbook.yml").exists(),
        at_the_end=lambda place: (place / "shelf/both/install-machine/ask.yml").exists(),
    ),
    "boot server": Single(
        act=_boot,
        after_death=_boot_is_whole,
        at_the_end=lambda place: _boot_is_whole(place) and (place / "boot/told/52-54-00-00-00-07.json").exists(),
    ),
    "doctor": Single(act=_doctor, after_death=_anything, at_the_end=lambda place: (place / "home").is_dir()),
}


def done(single: Single, place: Path, order: str = "") -> int:
    """The act in a process of its own; its wait status."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            boundary._ORDER = f"{place}.log{order}"
            single.act(place)
            code = 0
        except (SystemExit, typer.Exit):
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitpid(child, 0)[1]
