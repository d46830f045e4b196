"""Everything a runbook may use as one digest, and its frozen copy that an approved wave runs from."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inventory.errors import ExpectedError
from orchestrator.core.runbook import Runbook, RunbookInvalid
from orchestrator.supervisor.boundary import boundary

SHARED = ("library", "module_utils", "plugins", "roles", "collections")
MAX_FILES = 5_000
MAX_FILE_BYTES = 4 * 1024 * 1024
_CACHES = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache"})


class TreeDamaged(ExpectedError):
    """A frozen runbook is not what was approved any more."""

    code, says = "RBK-003", "The frozen runbook in {folder} is not what was approved: {why}."
    remedy = "Find out who changed it; then move the folder away and have the wave approved again."
    exit_code = 9


class RunbookChanged(ExpectedError):
    """A runbook was edited after the wave was proposed with it."""

    code, says = "RBK-004", "The runbook {name} was changed since the wave was proposed with it."
    remedy = "Propose the plan again, so that the approver sees the runbook as it is now."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The files of a runbook and of what all runbooks share: path in the tree -> file on disk."""

    files: dict[str, Path]

    @classmethod
    def of(cls, folder: Path, *, shared: Path) -> Tree:
        """The tree of a runbook's folder. Raises RunbookInvalid for links, special files and oversize."""
        places = {folder.resolve().name: folder, **{name: shared / name for name in SHARED}}
        files = {name: path for top, place in sorted(places.items()) for name, path in _files(top, place)}
        if len(files) > MAX_FILES:
            raise RunbookInvalid(file=str(folder), line=1, what=f"it has more than {MAX_FILES} files")
        return cls(files=files)

    @property
    def digest(self) -> str:
        """SHA-256 over path, executable or not, and content of every file."""
        listing = hashlib.sha256(b"kahn-tree-v1\n")
        for name, path in sorted(self.files.items()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            listing.update(f"{'x' if is_executable(path) else '-'} {content} {name}\n".encode())
        return listing.hexdigest()


def is_executable(path: Path) -> bool:
    """Whether the owner may execute it; other mode bits depend on who checked the files out."""
    return bool(path.stat().st_mode & stat.S_IXUSR)


def _files(top: str, place: Path) -> Iterator[tuple[str, Path]]:
    if place.is_symlink():
        raise RunbookInvalid(file=str(place), line=1, what="it is a symbolic link")
    for directory, names, files in os.walk(place):
        names[:] = sorted(name for name in names if name not in _CACHES)
        for name in [*names, *files]:
            path = Path(directory, name)
            _refuse_unusual(path, is_directory=name in names)
            if name not in names and path.suffix != ".pyc":
                yield f"{top}/{path.relative_to(place).as_posix()}", path


def _refuse_unusual(path: Path, *, is_directory: bool) -> None:
    found = path.lstat()
    expected = stat.S_ISDIR if is_directory else stat.S_ISREG
    if not expected(found.st_mode):
        what = "it is a symbolic link" if stat.S_ISLNK(found.st_mode) else "it is no ordinary file"
        raise RunbookInvalid(file=str(path), line=1, what=what)
    if not is_directory and found.st_size > MAX_FILE_BYTES:
        raise RunbookInvalid(file=str(path), line=1, what=f"it is larger than {MAX_FILE_BYTES >> 20} MiB")
    if not path.name.isprintable():
        raise RunbookInvalid(file=ascii(str(path)), line=1, what="its name holds unprintable characters")


def freeze_tree(folder: Path, trees_dir: Path, *, shared: Path) -> Path:
    """Copy a runbook's tree to ``trees_dir/<sha256>``, read-only; a copy that is there already is verified.

    Raises RunbookInvalid, TreeDamaged.
    """
    tree = Tree.of(folder, shared=shared)
    digest = tree.digest
    place = trees_dir / digest
    if not place.exists():
        trees_dir.mkdir(parents=True, exist_ok=True)
        _copy(tree, place)
    verify_tree(place)
    return place


def freeze_runbook(runbook: Runbook, folder: Path, trees_dir: Path, *, shared: Path) -> Path:
    """The frozen tree of a runbook as it was loaded. Raises RunbookChanged, RunbookInvalid, TreeDamaged."""
    there = trees_dir / runbook.tree
    if there.exists():
        verify_tree(there)
        return there
    if Tree.of(folder, shared=shared).digest != runbook.tree:
        raise RunbookChanged(name=runbook.name)
    return freeze_tree(folder, trees_dir, shared=shared)


def tree_is_there(runbook: Runbook, trees_dir: Path) -> bool:
    """Whether the frozen tree exists and is still what it is named after."""
    try:
        verify_tree(trees_dir / runbook.tree)
    except TreeDamaged:
        return False
    return True


def verify_tree(place: Path) -> None:
    """The folder's content has the digest that is its name. Raises TreeDamaged."""
    if not place.is_dir():
        raise TreeDamaged(folder=place, why="it is missing")
    try:
        files = {name: path for top in sorted(os.listdir(place)) for name, path in _files(top, place / top)}
        strays = [path for path in place.rglob("*") if path.is_file() and path not in set(files.values())]
        found = Tree(files=files).digest
    except (OSError, RunbookInvalid) as error:
        raise TreeDamaged(folder=place, why=error) from error
    if strays:
        raise TreeDamaged(folder=place, why=f"{strays[0].name} was added")
    if found != place.name:
        raise TreeDamaged(folder=place, why="its digest differs")


class TreeWatch:
    """What becomes of a frozen tree: each call of ``changes`` tells what is otherwise since the last one."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._known = _listing(place)

    def changes(self) -> tuple[str, ...]:
        """Paths in the tree that were added, changed or taken away, each with that word; caches and links too."""
        was, now = self._known, _listing(self._place)
        self._known = now
        words = {path: "added" if path not in was else "gone" if path not in now else "changed" for path in was | now}
        return tuple(f"{path} ({words[path]})" for path in sorted(words) if was.get(path) != now.get(path))


def _listing(place: Path) -> dict[str, str]:
    """Everything below a folder, whatever it is: path in it -> what it is, in words that differ when it does."""
    found: dict[str, str] = {}
    for path in place.rglob("*"):
        entry = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(entry.st_mode) else ""
        found[path.relative_to(place).as_posix()] = f"{stat.S_IFMT(entry.st_mode)} {entry.st_mode & 0o100} {content}"
    return found


def _copy(tree: Tree, place: Path) -> None:
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=place.parent))
    try:
        for name, path in tree.files.items():
            copied = part / name
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(path.read_bytes())
            copied.chmod(0o555 if is_executable(path) else 0o444)
        _seal(part)
        # Another process may have been quicker; its copy is verified like any other.
        if not place.exists():
            with boundary("tree.rename"):
                part.rename(place)
            place.chmod(0o555)
    finally:
        if part.exists():
            _discard(part)


def _seal(part: Path) -> None:
    for directory, _, files in os.walk(part, topdown=False):
        for name in files:
            _sync(Path(directory, name))
        _sync(Path(directory))
        if Path(directory) != part:
            os.chmod(directory, 0o555)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        with boundary("tree.file.sync"):
            os.fsync(opened)
    finally:
        os.close(opened)


def _discard(part: Path) -> None:
    for directory, _, _ in os.walk(part):
        os.chmod(directory, 0o755)
    shutil.rmtree(part)
