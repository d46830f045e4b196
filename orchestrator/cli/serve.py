"""``kahn serve``: the driver as a service."""

from __future__ import annotations

import typer

from inventory.errors import ExpectedError
from orchestrator.cli.context import context_of


class SeatTaken(ExpectedError):
    """Somebody else drives already."""

    code, says = "RUN-007", "Another process of this store drives already."
    remedy = "Watch with `kahn wave watch`; there is only one driver for each store."
    exit_code = 6


def serve(ctx: typer.Context) -> None:
    """Drive: start approved waves at their hour and carry every wave on. One process for each store."""
    from orchestrator.cli.service import serve_until_told  # brings APScheduler along

    code = serve_until_told(context_of(ctx))
    if code is None:
        raise SeatTaken()
    raise typer.Exit(code)
