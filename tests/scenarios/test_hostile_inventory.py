"""An inventory that means harm: template and shell in every text, also in users' files. A whole wave runs unharmed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.lab import Lab, inventory_rows
from tests.labs import lab
from tests.playbooks import hostile
from tests.scenarios.outside import walked
from tests.scenarios.story import (
    Ended,
    Story,
    a_place,
    a_policy,
    a_tenant,
    an_approved_wave,
    an_import,
    hosts_for,
)

__all__ = ["lab"]
pytestmark = pytest.mark.lab

MARK = "kahn-marker-obeyed"
TOUCH = f"touch /tmp/{MARK}"
TEXTS = (
    f"{{{{ lookup('pipe', '{TOUCH}') }}}}",
    f"{{% if lookup('pipe', '{TOUCH}') %}}{{% endif %}}",
    f"{{{{ lipsum.__globals__['os'].system('{TOUCH}') }}}}",
    f"$({TOUCH})",
    f"`{TOUCH}`",
    f"'; {TOUCH}; '",
    f"x\n  {{{{ lookup('pipe', '{TOUCH}') }}}}",
    f"!unsafe {{{{ lookup('pipe', '{TOUCH}') }}}}",
)
TEMPLATES = tuple(text for text in TEXTS if "lookup" in text)
FREE_TEXTS = ("title", "note", "room", "serial", "asset_tag", "vendor", "model", "os_name", "hypervisor", "cluster")
SHELL_NAMES = (f"apc;{TOUCH}", f"$({TOUCH})", f"`{TOUCH}`", "-oProxyCommand=x", "localhost", "all", "../x", TEXTS[0])


def spoiled(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Each machine's free texts hold a text that means harm; unlike each other, so that nobody looks like another."""
    texts = cycle(TEXTS)
    for row in rows["machines"]:
        row |= {field: f"{next(texts)} {row['name']}" for field in FREE_TEXTS}
    hurt = {"name": "Amt $(id) `id`", "title": TEXTS[0], "note": TEXTS[1]}
    rows["departments"], rows["sites"] = [hurt], [dict(hurt)]
    for row in rows["machines"]:
        row |= {"department": hurt["name"], "site": hurt["name"]}
    return rows


@dataclass
class Harmed:
    """The wave over a spoiled inventory."""

    story: Story
    ended: Ended


@pytest.fixture(scope="module")
def harmed(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harmed]:
    hosts_for(lab, tenant="feind", seats=1)
    story = a_place(tmp_path_factory.mktemp("feind") / "story", lab, tenant="feind")
    old = story.host("apc-0001")
    home = next(path for path in sorted((old.root / "home").iterdir()) if path.stat().st_uid >= 1000)
    hostile.fill(home, uid=home.stat().st_uid)
    a_tenant(story, policy=a_policy())
    an_import(story, spoiled(inventory_rows(lab.access("feind"))))
    an_approved_wave(story)
    yield Harmed(story=story, ended=story.tried("wave", "run", "W01"))


def test_a_whole_wave_runs_over_an_inventory_that_means_harm(harmed: Harmed) -> None:
    assert harmed.story.states() == {"apc-0001": ("moved", "")}, harmed.ended
    asset = next(move for move in harmed.story.wave()["content"]["moves"])
    assert asset["name"] == "apc-0001"


def test_no_text_was_obeyed_on_the_controller_or_on_any_machine(harmed: Harmed) -> None:
    machines = [host for host in harmed.story.lab.hosts("feind") if host.running]
    assert {"jump", "vault", "neu-0001"} <= {host.name for host in machines}
    found = [str(host.root / "tmp" / MARK) for host in machines if (host.root / "tmp" / MARK).exists()]
    found += [f"{host.name} {path}" for host in machines for path in walked(host.root) if is_a_mark(path)]
    found += [str(path) for path in harmed.story.place.rglob("*") if is_a_mark(str(path))]
    assert (found, Path("/tmp", MARK).exists(), Path("kahn-was-here").exists()) == ([], False, False)


def is_a_mark(path: str) -> bool:
    return path.endswith((f"/{MARK}", "/kahn-was-here"))


def test_machines_whose_names_would_be_commands_are_refused_and_given_back_row_by_row(harmed: Harmed) -> None:
    written = harmed.story.place / "shell.json"
    rows = [{"name": name, "kind": "workstation", "address": f"10.77.9.{n}"} for n, name in enumerate(SHELL_NAMES, 1)]
    written.write_text(json.dumps({"kahn_inventory": 1, "machines": rows}))
    told = harmed.story.tried("--json", "asset", "import", str(written), "--yes")
    assert told.code == 8, told
    with (harmed.story.place / "shell.json.rejects.csv").open(encoding="utf-8-sig", newline="") as opened:
        given_back = [json.loads(row["entry"])["name"] for row in csv.DictReader(opened, delimiter=";")]
    assert given_back == list(SHELL_NAMES)
    assert {asset["name"] for asset in harmed.story.answer("asset", "list")}.isdisjoint(SHELL_NAMES)
    assert not Path("/tmp", MARK).exists()


@pytest.mark.parametrize("text", TEMPLATES, ids=range(len(TEMPLATES)))
def test_the_same_texts_are_obeyed_in_a_plain_inventory(tmp_path: Path, text: str) -> None:
    """The control: without Kahn's marks this corpus does its harm, so that its silence above means something."""
    mark = tmp_path / "obeyed"
    hurt = text.replace(f"/tmp/{MARK}", str(mark)).removeprefix("!unsafe ")
    plain = {"all": {"hosts": {"here": {"ansible_connection": "local", "note": hurt}}}}
    (tmp_path / "plain.json").write_text(json.dumps(plain))
    ansible = [str(Path(sys.executable).parent / "ansible"), "here", "-i", str(tmp_path / "plain.json")]
    subprocess.run([*ansible, "-m", "debug", "-a", "var=note"], cwd=tmp_path, capture_output=True, check=True)
    assert mark.exists()
