"""A policy retires machines by runbooks that say so, and by no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import AssetKind
from orchestrator.adapters.retiring import DoesNotRetire, check_retiring
from orchestrator.adapters.runbooks import RunbookUnknown
from orchestrator.core.policy import Policy

SERVER = AssetKind.SERVER


def test_a_runbook_that_is_not_there_or_does_not_retire_is_refused(tmp_path: Path) -> None:
    check_retiring(Policy(), state_dir=tmp_path)
    check_retiring(Policy(retire={SERVER: "retire-asset"}), state_dir=tmp_path)
    with pytest.raises(RunbookUnknown):
        check_retiring(Policy(retire={SERVER: "retire-aset"}), state_dir=tmp_path)
    with pytest.raises(DoesNotRetire):
        check_retiring(Policy(retire={SERVER: "move-files"}), state_dir=tmp_path)


def test_what_retires_moves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DoesNotRetire, match="runbooks"):
        check_retiring(Policy(runbooks={SERVER: "retire-asset"}), state_dir=tmp_path)
    with pytest.raises(DoesNotRetire, match="by_psrp"):
        check_retiring(Policy(by_psrp={SERVER: "retire-asset"}), state_dir=tmp_path)
    check_retiring(Policy(runbooks={SERVER: "of-our-own-and-not-yet-there"}), state_dir=tmp_path)
