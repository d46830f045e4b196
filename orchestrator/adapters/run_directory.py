"""Builds a run's directory from an order: every file the run needs, in a fresh directory only this user can enter."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inventory.ansible_inventory import Emitted, EmittedMachine, EmittedMove, emit
from inventory.errors import ExpectedError
from inventory.ssh_options import Hop, Reach, RunPlaces
from orchestrator.adapters.run_book import run_book, run_config
from orchestrator.core.access import JumpHost
from orchestrator.core.canonical import plain
from orchestrator.core.receipts import claim_script, end_script
from orchestrator.core.wave import WaveContent, WaveMachine
from orchestrator.run_ports import AttemptSpec, RunOrder
from orchestrator.supervisor import files
from orchestrator.supervisor.boundary import boundary

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
SOCKETS = re.compile(r"\.kahn-[A-Za-z0-9_]{8,}")
SECRETS = "domains"
"""Folder of the state directory with a folder for each tenant: one's policy can name no file of another's."""
_TREE = re.compile(r"[0-9a-f]{64}")
_PLAYBOOK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\.ya?ml")


class RunRefused(ExpectedError):
    """A run that was not started; nothing happened on any machine."""

    code, says = "RUN-102", "Run {run} was not started: {why}."
    remedy = "Mend what it names; the wave's next round starts a new run."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things lie on this machine: state, approved trees, the callback plugin, ansible-playbook, sockets."""

    state: Path
    trees: Path
    callback_plugins: Path
    ansible_playbook: Path
    sockets: Path

    @property
    def runs(self) -> Path:
        """The directory of all run directories."""
        return self.state / "runs"

    @property
    def epoch_file(self) -> Path:
        """The highest driver epoch that started a run here."""
        return self.state / "epoch"


def build_run_directory(order: RunOrder, places: Places) -> Path:
    """The new directory, complete but for what the run itself writes. Raises RunRefused; never touches an old one."""
    run = order.run.id
    path = places.runs / run
    tree, playbooks = approved_playbooks(order, places.trees)
    sockets = tempfile.mkdtemp(prefix=".kahn-", dir=places.sockets)
    try:
        contents = _contents(order, places, _Ground(path=path, sockets=sockets, tree=tree, playbooks=playbooks))
        places.runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
        _write(path, contents)
    except FileExistsError as problem:
        os.rmdir(sockets)
        raise RunRefused(run=run, why="its directory exists already; a run is never started twice") from problem
    except (OSError, ValueError, KeyError, ExpectedError, files.NotOurs) as problem:
        os.rmdir(sockets)
        raise RunRefused(run=run, why=f"its directory cannot be built: {problem}") from problem
    return path


def _write(path: Path, contents: Mapping[str, bytes]) -> None:
    with files.opened_directory(path) as directory:
        for name, content in contents.items():
            files.write_new(directory, name, content)
        os.mkdir("tmp", 0o700, dir_fd=directory)
        with boundary("run.directory.sync"):
            os.fsync(directory)
    _sync(path.parent)


def approved_playbooks(order: RunOrder, trees: Path) -> tuple[Path, tuple[Path, ...]]:
    """The approved tree and the order's playbooks inside it, none of them reached by a link. Raises RunRefused."""
    runbook = order.content.runbook
    tree = trees / runbook.tree
    folder = tree / runbook.name
    if not _TREE.fullmatch(runbook.tree) or not folder.is_dir() or tree.is_symlink() or folder.is_symlink():
        raise RunRefused(run=order.run.id, why=f"the approved tree of runbook {runbook.name!r} is not there")
    found = tuple(folder / name for name in order.playbooks)
    for name, path in zip(order.playbooks, found, strict=True):
        inside = path.resolve() == folder.resolve() / name
        if not _PLAYBOOK.fullmatch(name) or not inside or not path.is_file():
            raise RunRefused(run=order.run.id, why=f"the approved tree holds no playbook {name!r}")
    if not found:
        raise RunRefused(run=order.run.id, why="it names no playbook")
    return tree, found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What one run's files refer to."""

    path: Path
    sockets: str
    tree: Path
    playbooks: tuple[Path, ...]


def _contents(order: RunOrder, places: Places, ground: _Ground) -> dict[str, bytes]:
    """File name -> bytes. The manifest names the checksum of each file that ansible reads."""
    path = ground.path
    emitted = _emitted(
        order, RunPlaces(known_hosts=str(path / files.KNOWN_HOSTS), sockets=ground.sockets), state=places.state
    )
    config = run_config(
        run_directory=path,
        tree=ground.tree,
        callback_plugins=places.callback_plugins,
        adopted=order.content.runbook.adopted,
    )
    contents = {
        files.BOOK: run_book(order.run.id, playbooks=ground.playbooks, once=order.once).encode(),
        files.INVENTORY: emitted.inventory.encode(),
        files.KNOWN_HOSTS: emitted.known_hosts.encode(),
        files.CONFIG: config.encode(),
        files.ALIVE: b"",
        **{Path(file).name: text.encode() for file, text in emitted.certificates.items()},
    }
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = {**_manifest(order, places, sockets=ground.sockets, sums=sums), "hops": emitted.hops}
    return {**contents, files.MANIFEST: json.dumps(manifest, indent=1).encode()}


def _manifest(order: RunOrder, places: Places, *, sockets: str, sums: Mapping[str, str]) -> dict[str, Any]:
    run = order.run
    return {
        "format": 1,
        "run": run.id,
        "tenant": run.tenant,
        "wave": run.wave,
        "revision": run.revision,
        "batch": run.batch,
        "step": run.step,
        "direction": run.direction.value,
        "epoch": run.epoch,
        "attempts": plain(run.attempts),
        "deadline": plain(run.deadline),
        "wave_fingerprint": order.content.fingerprint,
        "tree": order.content.runbook.tree,
        "playbooks": list(order.playbooks),
        "files": dict(sums),
        "ansible_playbook": str(places.ansible_playbook),
        "forks": order.content.thresholds.forks,
        "epoch_file": str(places.epoch_file),
        "sockets": sockets,
        "secrets": None,
    }


def _emitted(order: RunOrder, places: RunPlaces, *, state: Path) -> Emitted:
    adopted = order.content.runbook.adopted
    moves = [_move(order, attempt, state=state) for attempt in order.run.attempts]
    groups = (*order.content.runbook.groups, *(adopted.groups if adopted else ()))
    return emit(moves, places=places, groups=groups)


def _move(order: RunOrder, attempt: AttemptSpec, *, state: Path) -> EmittedMove:
    move = order.content.move(attempt.asset)
    run = order.run
    variables: dict[str, Any] = {
        "kahn_run": run.id,
        "kahn_attempt": attempt.id,
        "kahn_epoch": run.epoch,
        "kahn_step": run.step,
        "kahn_direction": run.direction.value,
        "kahn_asset": attempt.asset,
        "kahn_reach": plain(move.reach),
    }
    if run.step in order.content.runbook.step_names:
        variables["kahn_deadline_s"] = order.content.runbook.step(run.step).deadline_s
    if move.procedure is not None:
        variables |= {"kahn_procedure": plain(move.procedure), "kahn_known": [list(one) for one in order.known.items()]}
    if order.content.domain is not None:
        secret = state / SECRETS / order.content.tenant / order.content.domain.secret_file
        variables["kahn_domain"] = plain(order.content.domain) | {"secret_file": str(secret)}
    if order.once:
        variables |= _receipts(order, attempt)
    return EmittedMove(
        host=attempt.asset,
        name=move.name,
        on=order.on,
        machines=tuple(_machine(_on_its_way(order, attempt, one), order.content) for one in move.machines),
        variables=variables,
    )


def _receipts(order: RunOrder, attempt: AttemptSpec) -> dict[str, str | int]:
    claim = claim_script(
        asset=attempt.asset,
        attempt=attempt.id,
        run=order.run.id,
        epoch=order.run.epoch,
        settled=attempt.settled,
    )
    return {"kahn_claim": claim, "kahn_end": end_script(asset=attempt.asset, attempt=attempt.id, run=order.run.id)}


def _on_its_way(order: RunOrder, attempt: AttemptSpec, machine: WaveMachine) -> WaveMachine:
    """The machine at the address where this run reaches it."""
    second = attempt.asset in order.second_way and machine.role == order.on and machine.second_address
    return replace(machine, address=machine.second_address) if second else machine


def _machine(machine: WaveMachine, content: WaveContent) -> EmittedMachine:
    profile = content.profile(machine.access)
    reach = Reach(
        address=machine.address,
        port=profile.port,
        user=profile.user,
        become=profile.become,
        key_file=profile.key_file,
        host_key=_two_words(machine.host_key),
        hop=None if profile.jump is None else _hop(profile.jump),
        psrp=profile.psrp,
    )
    return EmittedMachine(role=machine.role, name=machine.name, mac=machine.mac, reach=reach)


def _hop(jump: JumpHost) -> Hop:
    return Hop(address=jump.address, port=jump.port, user=jump.user, host_key=_two_words(jump.host_key))


def _two_words(host_key: str) -> str:
    """Type and key without a comment."""
    return " ".join(host_key.split(" ")[:2])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with boundary("run.parent.sync"):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
