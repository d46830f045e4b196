"""What is known of a store that is away, in a file of the state directory: for programs that run for a moment only.

Nothing here is synced and nothing raises: a file that is lost or torn costs one call more.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from orchestrator.core.canonical import plain, restore
from orchestrator.core.store_away import Away

NAME = "store-away.json"
LARGEST = 1_000_000


class AwayFile:
    """Shared by every process that watches the same store from the same state directory."""

    def __init__(self, home: Path) -> None:
        self._path = home / NAME
        self._lost = False

    def recall(self) -> Away | None:
        """What is known; None when the store is not known to be away."""
        try:
            with self._path.open(encoding="utf-8") as opened:
                return restore(Away, json.loads(opened.read(LARGEST)))
        except (OSError, ValueError, ValidationError):
            return None

    def keep(self, away: Away) -> None:
        """Remember it, if that is possible."""
        self._lost = True
        with suppress(OSError):
            self._path.write_text(json.dumps(plain(away)), encoding="utf-8")
            self._lost = False

    def forget(self) -> bool:
        """The store is back. False when somebody else has said so already; where that cannot be known, true."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return self._lost
        except OSError:
            return True
        return True
