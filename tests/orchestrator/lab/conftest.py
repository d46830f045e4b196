"""Fixtures of the lab's own tests."""

from __future__ import annotations

from tests.labs import lab as lab
