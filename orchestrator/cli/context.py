"""What every command has at hand: the wired world, the tenant, the person, and a way to speak."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from inventory.errors import ExpectedError
from inventory.model import TENANT_PATTERN, TenantId
from orchestrator.core.canonical import plain
from orchestrator.settings import Settings, read_settings
from orchestrator.texts import _, error_lines
from orchestrator.wiring import World, open_world


class NoTenant(ExpectedError):
    """A command that needs a tenant got none."""

    code, says = "CLI-003", "No tenant was named."
    remedy = "Give `--tenant NAME`, set KAHN_TENANT, or set `tenant` in kahn.toml."


class BadTenantName(ExpectedError):
    """A tenant's name that cannot be one."""

    code, says = "CLI-006", "{name!r} cannot be a tenant's name."
    remedy = "Use a short word of a-z, 0-9 and -, beginning with a letter."


class NoPerson(ExpectedError):
    """An act that must be signed has no signer."""

    code, says = "CLI-004", "Nobody is named who acts, or their key is missing."
    remedy = "Give `--as NAME --key FILE`, or set KAHN_PERSON and KAHN_KEY."


class NoKeyFile(ExpectedError):
    """The key with which somebody would sign is not where they say."""

    code, says = "CLI-034", "There is no key file {file}."
    remedy = "Look at the path that `--key` (or KAHN_KEY) names, and give that of your private key."


class NotConfirmed(ExpectedError):
    """The person at the keyboard did not say yes, or there is no keyboard."""

    code, says = "CLI-005", "Not confirmed, so nothing was done."
    remedy = "Answer yes, or give --yes after you have looked at the preview."
    exit_code = 3


PLAIN_WIDTH = 120
"""Columns of tables where there is no terminal to ask."""


def harmless(text: object) -> str:
    """Text from outside for a terminal: control characters shown as escapes, never obeyed."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in str(text))


class Out:
    """Where a command speaks: lines for people, or one JSON document."""

    def __init__(self, *, as_json: bool, is_plain: bool) -> None:
        self.as_json = as_json
        terminal = sys.stdout.isatty() and not is_plain
        width = None if terminal else PLAIN_WIDTH
        self.console = Console(highlight=False, emoji=False, soft_wrap=not terminal, no_color=not terminal, width=width)
        self.warnings = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

    def line(self, text: str = "") -> None:
        """One line for people; silent when JSON was asked for."""
        if not self.as_json:
            self.console.print(harmless(text), markup=False)

    def rich(self, renderable: Any) -> None:
        """A table or other rich object, wrapped and never cut off; silent when JSON was asked for."""
        if not self.as_json:
            self.console.print(renderable, soft_wrap=False)

    def warn(self, text: str) -> None:
        """One line on standard error, also with JSON."""
        self.warnings.print(harmless(text), markup=False)

    def trouble(self, error: ExpectedError) -> None:
        """An expected error that does not end the command, as a warning: code, what is wrong, what to do."""
        says, remedy = error_lines(error)
        self.warn(f"{error.code}: {says} {remedy}")

    def json(self, value: object) -> None:
        """The command's whole answer, when JSON was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=1) + "\n")


@dataclass
class Context:
    """Global options of one call, and what they lead to (opened when first used)."""

    home: Path | None = None
    tenant_name: str = ""
    json: bool = False
    plain: bool = False
    yes: bool = False
    verbose: bool = False
    out: Out = field(init=False)

    def __post_init__(self) -> None:
        self.out = Out(as_json=self.json, is_plain=self.plain)

    @cached_property
    def settings(self) -> Settings:
        """Raises NoHome, BadSettings."""
        return read_settings(self.home)

    @cached_property
    def world(self) -> World:
        """The wired adapters."""
        return open_world(self.settings)

    @property
    def tenant(self) -> TenantId:
        """The tenant meant. Raises NoTenant, BadTenantName."""
        name = self.tenant_name or self.settings.tenant
        if not name:
            raise NoTenant()
        if not TENANT_PATTERN.fullmatch(name):
            raise BadTenantName(name=name[:40])
        return TenantId(name)

    def signer(self, name: str, key: Path | None) -> tuple[str, Path]:
        """Who acts and with which key file: options, else KAHN_PERSON and KAHN_KEY. Raises NoPerson, NoKeyFile."""
        person, key_file = name or self.settings.person, key or self.settings.key_file
        if not person or key_file is None:
            raise NoPerson()
        if not key_file.exists():
            raise NoKeyFile(file=key_file)
        return person, key_file

    def confirm(self, question: str) -> None:
        """Ask before something changes. Raises NotConfirmed."""
        if self.yes:
            return
        if not sys.stdin.isatty() or not typer.confirm(question):
            raise NotConfirmed()


def context_of(ctx: typer.Context) -> Context:
    """The Context of a typer call."""
    found = ctx.find_object(Context)
    assert found is not None, _("the command was started without the main program")
    return found
