"""Takes somebody's own playbook in as a runbook: a copy with all that lies beside it, unchanged, and a runbook.yml."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from inventory.ansible_inventory import is_group_name
from inventory.errors import ExpectedError
from orchestrator.adapters import adopted_plays
from orchestrator.adapters.fast_mode import fast_ways
from orchestrator.adapters.runbook_trees import MAX_FILE_BYTES, MAX_FILES
from orchestrator.adapters.runbooks import FILE_NAME, is_runbook_name, load_runbook
from orchestrator.core.runbook import Runbook
from orchestrator.supervisor.boundary import boundary

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*.pyc", "*.retry", ".ansible")
GIT_TIMEOUT_S = 120
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_BASELINE = """\
- name: {title}
  hosts: all
  gather_facts: false
  environment: {{PYTHONDONTWRITEBYTECODE: "1", TMPDIR: /dev/shm}}
  tasks:
    - name: {title}
      kahn_fingerprint: {{asset: "{{{{ kahn_asset }}}}", state: {state}, deep: [/boot, /etc, /usr/local]}}
"""


class CannotAdopt(ExpectedError):
    """A playbook that cannot be taken in as it is."""

    code, says = "RBK-005", "{playbook} cannot be adopted: {why}."
    remedy = "{help}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to adopt. ``playbook`` is a path; with ``commit`` it is a path inside the git repository ``repository``."""

    playbook: str
    repository: str = ""
    commit: str = ""
    title: str = ""
    undo: str = ""
    probe: str = ""
    vault_password_file: str = ""
    deadline_s: int = 3600
    fast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedRunbook:
    """The runbook as it lies in its folder now, and the places in it that an approver should look at."""

    runbook: Runbook
    folder: Path
    findings: tuple[str, ...]


def parsed_wish(text: str) -> tuple[str, str, str]:
    """(playbook, repository, commit) of ``PATH`` or ``REPOSITORY@COMMIT:PATH``. Raises CannotAdopt."""
    repository, found, rest = text.rpartition("@")
    commit, colon, path = rest.partition(":")
    if not found or not colon or Path(text).exists():
        return text, "", ""
    if not _COMMIT.fullmatch(commit):
        why = f"{commit[:60]!r} is no commit"
        raise CannotAdopt(playbook=text, why=why, help="Name the commit by 7 to 64 hexadecimal digits: a branch moves.")
    return path, repository, commit


def adopt(wish: Wish, *, shelf: Path, name: str) -> AdoptedRunbook:
    """Copy and wrap the playbook as ``shelf/name``, whole or not at all.

    Raises CannotAdopt, RunbookInvalid, FastModeMissing.
    """
    place = shelf / name
    if not is_runbook_name(name):
        help_ = "Choose one with --name: it begins with a-z and goes on with a-z, 0-9 and -."
        raise CannotAdopt(playbook=wish.playbook, why=f"{name[:60]!r} is no runbook name", help=help_)
    if place.exists():
        help_ = "Choose another name with --name, or move the folder away first."
        raise CannotAdopt(playbook=wish.playbook, why=f"there is a runbook {name!r} already", help=help_)
    if wish.fast:
        fast_ways()  # what lacks is said now, not at night
    shelf.mkdir(parents=True, exist_ok=True)
    with _source(wish) as (source, origin), tempfile.TemporaryDirectory(prefix=".adopt-", dir=shelf) as work:
        part = Path(work) / name
        part.mkdir()
        _copy(source.parent, part / "adopted", wish)
        _require_its_needs(part / "adopted", wish)
        _wrap(part, wish, file=source.name, origin=origin)
        runbook = load_runbook(part)
        with boundary("adopted.rename"):
            part.rename(place)
    return AdoptedRunbook(runbook=runbook, folder=place, findings=adopted_plays.findings(place / "adopted"))


@contextmanager
def _source(wish: Wish) -> Iterator[tuple[Path, str]]:
    """The playbook on disk, and where it comes from in words."""
    if not wish.commit:
        path = Path(wish.playbook).absolute()
        _require_file(path, wish)
        yield path, str(path)
        return
    with tempfile.TemporaryDirectory(prefix="kahn-adopt-") as work:
        commit = _checked_out(wish, Path(work))
        path = (Path(work) / wish.playbook).resolve()
        if Path(work).resolve() not in path.parents:
            raise CannotAdopt(
                playbook=wish.playbook, why="it leads out of the repository", help="Name a file inside it."
            )
        _require_file(path, wish)
        yield path, f"{wish.repository}@{commit}:{wish.playbook}"


def _require_file(path: Path, wish: Wish) -> None:
    if path.is_symlink() or not path.is_file():
        raise CannotAdopt(playbook=wish.playbook, why="there is no such file", help="Name the playbook's file.")


def _checked_out(wish: Wish, work: Path) -> str:
    """The repository's files at the commit, written below ``work``; the whole name of the commit."""
    repository = Path(wish.repository or ".").absolute()
    if not repository.is_dir():
        raise CannotAdopt(playbook=wish.playbook, why=f"there is no repository {repository}", help="Clone it first.")
    commit = _git(wish, repository, "rev-parse", "--verify", "--end-of-options", f"{wish.commit}^{{commit}}").strip()
    archive = work / ".tar"
    _git(wish, repository, "archive", "--format=tar", f"--output={archive}", commit)
    _unpack(archive, work, wish)
    archive.unlink()
    return commit


def _unpack(archive: Path, work: Path, wish: Wish) -> None:
    """Directories and ordinary files only, each inside ``work``."""
    with tarfile.open(archive) as opened:
        for member in opened:
            path = (work / member.name).resolve()
            if work.resolve() not in path.parents or not (member.isfile() or member.isdir()):
                why = f"the commit holds {member.name[:80]!r}, which is no ordinary file"
                raise CannotAdopt(playbook=wish.playbook, why=why, help="An approval covers files, not links.")
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
            elif (content := opened.extractfile(member)) is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())
                path.chmod(member.mode & 0o755)


def _git(wish: Wish, repository: Path, *words: str) -> str:
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "HOME": "/nonexistent"}
    argv = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", str(repository), *words]
    try:
        with boundary("adopted.git.spawn"):
            done = subprocess.run(
                argv,
                capture_output=True,
                text=True,
                env=environment,
                timeout=GIT_TIMEOUT_S,
                check=False,
                errors="replace",
            )
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise CannotAdopt(playbook=wish.playbook, why=f"git: {cause}", help="Check that git works there.") from cause
    if done.returncode:
        why = (done.stderr.strip() or "git failed").splitlines()[-1][:200]
        raise CannotAdopt(playbook=wish.playbook, why=why, help="Check the repository and the commit.")
    return done.stdout


def _copy(source: Path, place: Path, wish: Wish) -> None:
    for number, path in enumerate(_entries(source), start=1):
        if path.is_symlink():
            why = f"{path.relative_to(source)} is a symbolic link"
            help_ = "Put the file itself there: an approval covers contents."
            raise CannotAdopt(playbook=wish.playbook, why=why, help=help_)
        if number > MAX_FILES or path.lstat().st_size > MAX_FILE_BYTES:
            why = f"its folder holds more than {MAX_FILES} files, or one of more than {MAX_FILE_BYTES >> 20} MiB"
            help_ = "Put the playbook with what it needs, and nothing else, into a folder of its own."
            raise CannotAdopt(playbook=wish.playbook, why=why, help=help_)
    shutil.copytree(source, place, ignore=LEFT_OUT)


def _entries(folder: Path) -> Iterator[Path]:
    """Everything that would be copied, folders included, without following links."""
    for directory, names, files in os.walk(folder):
        left_out = LEFT_OUT(directory, [*names, *files])
        names[:] = sorted(set(names) - left_out)
        yield from (Path(directory, one) for one in (*names, *files) if one not in left_out)


def _require_its_needs(folder: Path, wish: Wish) -> None:
    """Whatever `requirements.yml` names must lie in the folder: a wave at night fetches nothing."""
    for file in (
        folder / "requirements.yml",
        folder / "collections" / "requirements.yml",
        folder / "roles/requirements.yml",
    ):
        if not file.is_file():
            continue
        lacking = [need for need in _needs(file, wish) if not _is_there(folder, need)]
        if lacking:
            help_ = (
                "Fetch them beside the playbook, then adopt it again: `ansible-galaxy collection install -r "
                "requirements.yml -p collections` and `ansible-galaxy role install -r requirements.yml -p roles`."
            )
            raise CannotAdopt(
                playbook=wish.playbook, why=f"it needs {', '.join(lacking)}, not in its folder", help=help_
            )


def _needs(file: Path, wish: Wish) -> list[str]:
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8")) or []
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as cause:
        raise CannotAdopt(playbook=wish.playbook, why=f"{file.name} is not YAML", help="Correct it.") from cause
    both = [*(told.get("roles") or []), *(told.get("collections") or [])] if isinstance(told, dict) else told
    named = (one if isinstance(one, str) else (one.get("name") or one.get("src") or "?") for one in both or [])
    return [str(name) for name in named]


def _is_there(folder: Path, need: str) -> bool:
    name = need.rstrip("/").rpartition("/")[2].removesuffix(".git")
    parts = name.split(".")
    collection = folder / "collections" / "ansible_collections" / Path(*parts[:2])
    return (folder / "roles" / name).is_dir() or (len(parts) == 2 and collection.is_dir())


def _wrap(part: Path, wish: Wish, *, file: str, origin: str) -> None:
    patterns = adopted_plays.hosts_of(part / "adopted" / file, folder=part / "adopted")
    groups = [name for name in adopted_plays.groups_named(patterns) if is_group_name(name)]
    for state, title in (("taken", "Fingerprint before"), ("compared", "Compare with the fingerprint")):
        (part / f"baseline-{state}.yml").write_text(_BASELINE.format(title=title, state=state), encoding="utf-8")
    step: dict[str, object] = {
        "name": "play",
        "title": f"Play {file} as it is",
        "on": "target",
        "effect": "once",
        "playbook": f"adopted/{file}",
        "deadline_s": wish.deadline_s,
    }
    for word in ("undo", "probe"):
        if given := getattr(wish, word):
            step[word] = f"adopted/{given}"
    if not wish.undo:
        step["no_return"] = True
    document = {
        "title": wish.title or f"{file}, adopted"[:120],
        "ansible": "modern",
        "adopted": {
            "origin": origin[:400],
            "groups": groups,
            "vault_password_file": wish.vault_password_file,
            "fast": wish.fast,
        },
        "roles": {"target": "asset"},
        "baseline": {
            "on": "target",
            "take": "baseline-taken.yml",
            "compare": "baseline-compared.yml",
            "deadline_s": 900,
        },
        "steps": [step],
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    (part / FILE_NAME).write_text(f"# Made by `kahn runbook adopt`.\n{text}", encoding="utf-8")
