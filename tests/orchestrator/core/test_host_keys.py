"""What a shown host key is called and what it means for the inventory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.core.explain import Sentence
from orchestrator.core.host_keys import (
    KeyAnswer,
    Trouble,
    Verdict,
    finding_of,
    fingerprint,
    named_key,
    users_of_keys,
)
from tests.estates import an_asset

ONE, OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==", "ssh-rsa AAAAB3NzaC1yc2EAAAA="


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "x", "-f", path], check=True)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", path], capture_output=True, text=True, check=True).stdout.split()
    assert named_key(path.with_suffix(".pub").read_text()) == f"{shown[1]} {shown[-1]}"


def test_no_key_has_no_fingerprint_and_an_unreadable_one_a_question_mark() -> None:
    assert (fingerprint(""), named_key("")) == ("", "")
    assert fingerprint("ssh-rsa A") == fingerprint("ssh-rsa") == "?"


@pytest.mark.parametrize(
    ("known", "shown", "verdict"),
    [("", ONE, Verdict.NEW), (ONE, ONE, Verdict.SAME), (ONE, OTHER, Verdict.CHANGED)],
)
def test_only_the_very_same_key_is_the_same(known: str, shown: str, verdict: Verdict) -> None:
    asset = an_asset("a", host_key=known) if known else an_asset("a")
    found = finding_of(asset, KeyAnswer(asset=AssetId("a"), key=shown))
    assert (found.verdict, found.before, found.after) == (verdict, known, shown)


def test_a_trouble_is_never_a_key() -> None:
    trouble = Trouble(code="refused", told=Sentence(says="no"))
    found = finding_of(an_asset("a", host_key=ONE), KeyAnswer(asset=AssetId("a"), trouble=trouble))
    assert (found.verdict, found.after) == (Verdict.FAILED, "")


def test_machines_with_one_and_the_same_key_are_found() -> None:
    asset = an_asset("b")
    findings = [finding_of(asset, KeyAnswer(asset=asset.id, key=ONE))]
    assert users_of_keys([an_asset("a", host_key=ONE), asset], findings) == {ONE: ("a", "b")}
