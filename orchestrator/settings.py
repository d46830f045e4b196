"""The only reader of environment and configuration file: where Kahn keeps its state and what it connects to."""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from inventory.errors import ExpectedError
from orchestrator.core.contacts_file import ContactsFile, ContactsFileWrong, read_contacts

CONFIG_NAME = "kahn.toml"
CONTACTS_NAME = "notices.toml"
SYSTEM_HOME = Path("/var/lib/kahn")


class NoHome(ExpectedError):
    """No state directory was found."""

    code, says = "CLI-001", "There is no {config} in {home}."
    remedy = "Make one with `kahn init DIR`, then work in DIR or set KAHN_HOME=DIR."


class BadSettings(ExpectedError):
    """The configuration file cannot be used."""

    code, says = "CLI-002", "{file}: {what}."
    remedy = "Correct the file; `kahn init --example` prints every setting with its meaning."


class NoSecret(ExpectedError):
    """A secret is not where it should be."""

    code, says = "CLI-020", "There is no secret in {where}: {why}."
    remedy = "Put it there, readable for Kahn alone; it is never kept in the database."
    exit_code = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One entry of the configuration file, as the settings page lists it."""

    name: str
    default: str
    means: str


SETTINGS = (
    Setting(
        name="database",
        default="",
        means="database URL; empty for SQLite inside the state directory, or `postgresql+psycopg://user@host/name`",
    ),
    Setting(name="tenant", default="", means="tenant used when `--tenant` is not given"),
    Setting(name="language", default="en", means="language of texts: `en` or `de`"),
    Setting(
        name="ansible_playbook", default="", means="path of `ansible-playbook`; empty for the one beside Kahn's Python"
    ),
    Setting(
        name="look_at_hosts",
        default="yes",
        means="whether Kahn logs in to machines before each batch: `yes`, or `no` where they are only simulated",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything configurable, resolved."""

    home: Path
    database_url: str
    tenant: str
    language: str
    ansible_playbook: Path
    person: str
    """Who sits at the keyboard (KAHN_PERSON)."""
    key_file: Path | None
    """Their private key (KAHN_KEY)."""
    looks_at_hosts: bool = True
    """Whether machines are looked at by ssh before each batch begins."""


def find_home(given: Path | None) -> Path:
    """The state directory: as given, else KAHN_HOME, else here if it has a configuration, else the system's."""
    if given is not None:
        return given.resolve()
    named = os.environ.get("KAHN_HOME")
    if named:
        return Path(named).resolve()
    return Path.cwd() if Path(CONFIG_NAME).exists() else SYSTEM_HOME


def read_settings(given: Path | None = None) -> Settings:
    """Settings of the state directory. Raises NoHome, BadSettings."""
    home = find_home(given)
    config = home / CONFIG_NAME
    try:
        there = config.exists()
    except OSError as error:
        raise BadSettings(file=config, what=error.strerror or error) from error
    if not there:
        raise NoHome(config=CONFIG_NAME, home=home)
    values = _read_config(config)
    beside = Path(sys.executable).parent / "ansible-playbook"
    playbook = values["ansible_playbook"] or (
        str(beside) if beside.exists() else shutil.which("ansible-playbook") or ""
    )
    key = os.environ.get("KAHN_KEY", "")
    return Settings(
        home=home,
        database_url=values["database"] or f"sqlite:///{home / 'kahn.sqlite'}",
        tenant=os.environ.get("KAHN_TENANT", "") or values["tenant"],
        language=os.environ.get("KAHN_LANG", "") or values["language"] or "en",
        ansible_playbook=Path(playbook),
        person=os.environ.get("KAHN_PERSON", ""),
        key_file=Path(key) if key else None,
        looks_at_hosts=_yes(config, "look_at_hosts", values["look_at_hosts"]),
    )


def _yes(config: Path, name: str, value: str) -> bool:
    if value not in ("yes", "no"):
        raise BadSettings(file=config, what=f'{name} must be "yes" or "no"')
    return value == "yes"


def _read_config(config: Path) -> dict[str, str]:
    known = {setting.name: setting.default for setting in SETTINGS}
    try:
        found = tomllib.loads(config.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadSettings(file=config, what=error) from error
    for name, value in found.items():
        if name not in known:
            raise BadSettings(file=config, what=f"unknown setting {name!r}")
        if not isinstance(value, str):
            raise BadSettings(file=config, what=f"{name} must be text")
        known[name] = value
    return known


def read_contacts_file(home: Path) -> ContactsFile:
    """Whom to call and how; nobody when there is no such file. Raises ContactsFileWrong."""
    file = home / CONTACTS_NAME
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ContactsFile()
    except (OSError, UnicodeDecodeError) as error:
        raise ContactsFileWrong(file=CONTACTS_NAME, key="file", why=error) from error
    return read_contacts(text, file=CONTACTS_NAME)


def example_config() -> str:
    """A configuration file with every setting and its meaning."""
    lines = ["# Kahn's configuration", ""]
    for setting in SETTINGS:
        lines += [f"# {setting.means}", f'{setting.name} = "{setting.default}"', ""]
    return "\n".join(lines)


MOST_SECRET = 4_096
"""Bytes of a secret; a longer file is none."""


def read_secret(where: str) -> str:
    """The secret in ``file:/path`` (its first line, readable for its owner alone) or ``env:NAME``. Raises NoSecret."""
    kind, _colon, place = where.partition(":")
    secret = os.environ.get(place, "") if kind == "env" else _secret_file(where, Path(place))
    secret = secret.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise NoSecret(where=where, why="it is empty, or no single word of ASCII letters")
    return secret


def _secret_file(where: str, path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise NoSecret(where=where, why="others may read it too; use `chmod 600`")
        with path.open(encoding="utf-8") as opened:
            return opened.read(MOST_SECRET).partition("\n")[0]
    except (OSError, ValueError) as cause:
        why = cause.strerror if isinstance(cause, OSError) and cause.strerror else "it is no text"
        raise NoSecret(where=where, why=why) from cause
