"""The PowerShell of a server asks only for what its documentation names. It was never run anywhere."""

from __future__ import annotations

import re

import pytest
import yaml

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.causes import CAUSES
from orchestrator.core.causes_of_windows import TOLD

MODULE = SHIPPED / "library/kahn_windows_server.ps1"
SEAT = SHIPPED / "library/kahn_windows_seat.ps1"
SHARED = SHIPPED / "module_utils/Ansible.ModuleUtils.KahnShare.psm1"
PLAYBOOKS = sorted((SHIPPED / "move-windows-server").glob("*.yml"))


def test_the_module_takes_exactly_what_is_documented() -> None:
    text = MODULE.read_text(encoding="ascii")
    documented = yaml.safe_load(MODULE.with_suffix(".yml").read_text())["DOCUMENTATION"]["options"]
    spec = text[text.index("options = @{") : text.index("supports_check_mode")]
    assert set(re.findall(r"^        (\w+) = @\{", spec, re.MULTILINE)) == set(documented)
    states = re.findall(r"'(\w+)'", spec[spec.index("choices = @(") :].split(")")[0])
    assert states == documented["state"]["choices"]
    assert sorted(states) == sorted(re.findall(r"^        '(\w+)' \{", text, re.MULTILINE))


def test_every_state_is_asked_for_by_a_playbook_of_the_runbook() -> None:
    documented = yaml.safe_load(MODULE.with_suffix(".yml").read_text())["DOCUMENTATION"]["options"]
    played = [
        task["kahn_windows_server"]["state"]
        for book in PLAYBOOKS
        if isinstance(plays := yaml.safe_load(book.read_text()), list)
        for task in plays[0]["tasks"]
        if "kahn_windows_server" in task
    ]
    assert set(played) == set(documented["state"]["choices"])


def test_every_cause_of_windows_is_named_by_a_module_and_every_named_one_has_words() -> None:
    named = {
        one
        for module in (MODULE, SEAT)
        for pair in re.findall(r"-Cause '(\w+)'|\{ '(\w+)' \}", module.read_text())
        for one in pair
        if one
    }
    named -= {"Deny"}  # a right, not a cause
    assert named <= set(CAUSES)
    assert {one.code for one in TOLD} <= named


@pytest.mark.parametrize("module", [MODULE, SEAT], ids=lambda path: path.name)
def test_what_the_modules_share_is_there_and_nothing_is_called_that_nobody_wrote(module: object) -> None:
    text, shared = (MODULE if module == MODULE else SEAT).read_text(), SHARED.read_text()
    exported = set(re.findall(r"'([\w-]+)'", shared[shared.index("Export-ModuleMember") :]))
    assert exported == set(re.findall(r"^Function ([\w-]+)", shared, re.MULTILINE))
    own = set(re.findall(r"^Function ([\w-]+)", text, re.MULTILINE))
    assert "#AnsibleRequires -PowerShell Ansible.ModuleUtils.KahnShare" in text and not own & exported
    assert set(re.findall(r"(?<![\w-])([A-Z][a-z]+-[A-Z]\w+)", text)) - own - exported <= OF_WINDOWS


OF_WINDOWS = frozenset(
    {
        *("Compare-Object", "ForEach-Object", "New-Object", "Select-Object", "Where-Object"),
        *("ConvertFrom-Json", "ConvertTo-Json", "Join-Path", "Split-Path"),
        *("Get-CimInstance", "Get-Service", "Set-Service", "Start-Service", "Stop-Service"),
        *("Disable-ScheduledTask", "Enable-ScheduledTask", "Export-ScheduledTask", "Get-ScheduledTask"),
        *("Register-ScheduledTask", "Unregister-ScheduledTask"),
        *("Get-SmbOpenFile", "Get-SmbShare", "Get-SmbShareAccess", "New-SmbShare", "Remove-SmbShare"),
    }
)
"""Commands that come with Windows Server (modules CimCmdlets, Management, ScheduledTasks, SmbShare, Utility)."""


def test_the_password_of_the_share_is_never_logged() -> None:
    assert "share_password = @{ type = 'str'; no_log = $true }" in MODULE.read_text()
