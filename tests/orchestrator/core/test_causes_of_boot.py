"""Causes of network boot are said in words and are what modules and core really give."""

from __future__ import annotations

import re

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core import netboot
from orchestrator.core.causes import CAUSES
from orchestrator.core.causes_of_boot import KNOWN_OF_BOOT


def test_every_cause_that_the_modules_give_is_said_in_words() -> None:
    text = "".join((SHIPPED / "library" / name).read_text() for name in ("kahn_netboot.py", "kahn_installed.py"))
    given = set(re.findall(r'Trouble\(\s*"([a-z_]+)"', text)) | set(re.findall(r'cause="([a-z_]+)"', text))
    assert given and given - {"epoch_refused"} <= set(CAUSES)


def test_every_cause_that_the_core_gives_is_one_of_these() -> None:
    assert netboot.__file__
    with open(netboot.__file__, encoding="utf-8") as source:
        given = set(re.findall(r'cause="([a-z_]+)"', source.read()))
    assert given == {"interrupted", "never_began"} <= {one.code for one in KNOWN_OF_BOOT}
