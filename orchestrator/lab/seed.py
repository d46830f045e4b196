"""Made-up users and documents on an old workstation: the same for the same seed, and none of them easy."""

from __future__ import annotations

import errno
import os
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.host import Host

FIRST_UID = 1001
_PEOPLE = (
    ("jkrause", "Jördis Krause"), ("mlehmann", "Mirko Lehmann"), ("snoack", "Sabine Noack"),
    ("hschulze", "Hänsel Schulze"), ("wbuder", "Wenke Büder"), ("pkossack", "Pawel Kossack"),
)  # fmt: skip
_FOLDERS = (
    "Dokumente", "Dokumente/Anträge 2024", "Schreibtisch", "Bilder/Ämter & Höfe", ".config/büro", "Ablage (alt)",
)  # fmt: skip
_SUBJECTS = (
    "Straßenreinigung", "Bauantrag", "Übergabe", "Hundesteuer", "Grünfläche", "Wähler verzeichnis", "Protokoll",
    "Gebührenbescheid", "Märkte", "Kita-Plätze",
)  # fmt: skip
_ENDINGS = (".odt", ".txt", ".csv", ".PDF", "", ".docx~", ".eml")
_MODES = (0o644, 0o600, 0o640, 0o444, 0o755, 0o664, 0o000)
_OLDEST_S, _NEWEST_S = 1_262_304_000, 1_735_689_600  # 2010 to 2025, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededUser:
    """One account on the old workstation; its group has the same name and number."""

    name: str
    full_name: str
    uid: int

    @property
    def home(self) -> str:
        return f"/home/{self.name}"


def seed_user_files(host: Host, *, seed: int, files: int = 24, users: int = 3) -> tuple[SeededUser, ...]:
    """Gives the host ``users`` accounts (uid 1001 and up) and about ``files`` entries in their homes.

    The same seed and host name give the same tree, times included. Entries are documents of 0 to 8 KiB with umlauts,
    blanks and odd modes, some symbolic links, one empty folder per user and one extended attribute ``user.kahn``
    (left out where the disk cannot hold it). Works on hosts that are on or off. Raises OSError.
    """
    chance = random.Random(f"{seed}:{host.name}")
    people = chance.sample(_PEOPLE, k=min(users, len(_PEOPLE)))
    found = tuple(
        SeededUser(name=name, full_name=full, uid=FIRST_UID + place) for place, (name, full) in enumerate(people)
    )
    root = host.root
    _add_accounts(root, host.base, found)
    for place, user in enumerate(found):
        share = files // len(found) + (1 if place < files % len(found) else 0)
        _fill_home(root, user, chance=chance, entries=share)
    return found


def _add_accounts(root: Path, base: Path, users: tuple[SeededUser, ...]) -> None:
    lines = {
        "passwd": [f"{user.name}:x:{user.uid}:{user.uid}:{user.full_name},,,:{user.home}:/bin/bash" for user in users],
        "group": [f"{user.name}:x:{user.uid}:" for user in users],
        "shadow": [f"{user.name}:*:19700:0:99999:7:::" for user in users],
    }
    for name, new in lines.items():
        path = root / "etc" / name
        source = path if path.exists() else base / "etc" / name
        state = source.stat()
        known = {line.split(":")[0] for line in source.read_text().splitlines()}
        wanted = [line for line in new if line.split(":")[0] not in known]
        text = source.read_text() + "".join(f"{line}\n" for line in wanted)
        path.write_text(text)
        os.chown(path, state.st_uid, state.st_gid)
        os.chmod(path, state.st_mode & 0o7777)


def _fill_home(root: Path, user: SeededUser, *, chance: random.Random, entries: int) -> None:
    home = root / user.home.lstrip("/")
    home.mkdir(parents=True, exist_ok=True)
    os.chmod(home, 0o750)
    for folder in (*_FOLDERS, "leerer Ordner"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    documents = [_write_document(home, number, chance) for number in range(entries)]
    links = list(_make_links(home, documents)) if documents else []
    _mark(documents)
    os.chmod(home / "Ablage (alt)", 0o2770)
    _own(home, user, chance=chance)
    folders = sorted((path for path in home.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True)
    for path in (*documents, *links, *folders, home):
        moment = chance.randrange(_OLDEST_S, _NEWEST_S)
        os.utime(path, (moment, moment), follow_symlinks=False)


def _write_document(home: Path, number: int, chance: random.Random) -> Path:
    name = f"{chance.choice(_SUBJECTS)} {number:03d}{chance.choice(_ENDINGS)}"
    if number % 7 == 3:
        name = unicodedata.normalize("NFD", name)
    path = home / chance.choice(_FOLDERS) / name
    path.write_bytes(chance.randbytes(0 if number % 11 == 5 else chance.randrange(1, 8192)))
    return path


def _make_links(home: Path, documents: list[Path]) -> Iterator[Path]:
    """A relative, an absolute and a dangling symbolic link."""
    target = documents[0].relative_to(home)
    inside = Path("/home") / home.name / target
    for name, leads_to in (("zuletzt geöffnet", target), ("Verknüpfung", inside), ("verloren", Path("nicht/mehr/da"))):
        link = home / name
        link.unlink(missing_ok=True)
        link.symlink_to(leads_to)
        yield link


def _mark(documents: list[Path]) -> None:
    for path in documents[:1]:
        try:
            os.setxattr(path, "user.kahn", "Prüfvermerk".encode())
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EPERM):
                raise


def _own(home: Path, user: SeededUser, *, chance: random.Random) -> None:
    """Owner and odd modes, deepest last so that chown cannot clear a mode set before."""
    for directory, below, names in os.walk(home):
        below.sort()
        for name in sorted(names):
            path = Path(directory, name)
            os.chown(path, user.uid, user.uid, follow_symlinks=False)
            if not path.is_symlink():
                os.chmod(path, chance.choice(_MODES))
        mode = os.stat(directory).st_mode & 0o7777
        os.chown(directory, user.uid, user.uid)
        os.chmod(directory, mode)
