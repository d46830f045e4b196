"""The module around the accounts: what it demands, and how it fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from tests.playbooks.modules import module

accounts = module("kahn_accounts")


def failed(capsys: pytest.CaptureFixture[str], **words: Any) -> dict[str, Any]:
    with patch_module_args(words), pytest.raises(SystemExit):
        accounts.main()
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["failed"]
    return told


def test_taking_over_demands_both_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert "ssh" in failed(capsys, asset="a1", state="taken_over")["msg"]


def test_an_asset_id_is_never_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(capsys, asset="../a1", state="absent")["kahn"]["cause"] == "bad_asset"
