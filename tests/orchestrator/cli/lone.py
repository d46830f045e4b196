"""A command that stands alone, as an app of its own."""

from __future__ import annotations

from collections.abc import Callable

import typer


def command_app(command: Callable[..., None]) -> typer.Typer:
    """An app with this one command."""
    app = typer.Typer()
    app.command()(command)
    return app
