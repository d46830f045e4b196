"""Every test of an adapter may ask for a database."""

from __future__ import annotations

from tests.databases import database_url, empty_url, store

__all__ = ["database_url", "empty_url", "store"]
