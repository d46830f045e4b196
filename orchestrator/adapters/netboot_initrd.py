"""The installer that bare machines boot: kernel modules, busybox and one script, packed for the kernel."""

from __future__ import annotations

import gzip
import io
import lzma
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from inventory.errors import ExpectedError

SCRIPT = Path(__file__).with_name("netboot_init.sh")
MODULES = (
    "virtio_pci", "virtio_net", "virtio_blk", "ahci", "sd_mod", "nvme", "e1000e", "igb", "igc", "ixgbe", "r8169", "tg3",
    "bnxt_en", "ext4",
)  # fmt: skip
"""What is packed where the kernel has it as a module: network cards and disks of the usual machines, and ext4."""
_INTERPRETER = 3
_EXECUTABLE, _PLAIN, _FOLDER = 0o100755, 0o100644, 0o040755


class InstallerIncomplete(ExpectedError):
    """Something that the installer needs cannot be used."""

    code, says = "BOOT-006", "The installer cannot be packed: {why}."
    remedy = "Name kernel, modules (lib/modules/VERSION) and a static busybox, as in docs/netboot.md."


def installer(*, modules: Path, busybox: Path, names: Iterable[str] = MODULES) -> bytes:
    """The initrd, compressed. ``modules`` is a lib/modules/VERSION with its modules.dep. Raises InstallerIncomplete."""
    try:
        program = busybox.read_bytes()
        if not _is_static(program):
            raise InstallerIncomplete(why=f"{busybox} is no static program")
        chosen = tuple(_modules(modules, names))
    except OSError as cause:
        raise InstallerIncomplete(why=str(cause)) from cause
    order = "".join(f"{name}\n" for name, _content in chosen).encode()
    files: dict[str, tuple[int, bytes]] = {
        "init": (_EXECUTABLE, SCRIPT.read_bytes()),
        "bin": (_FOLDER, b""),
        "bin/busybox": (_EXECUTABLE, program),
        "modules": (_FOLDER, b""),
        "modules/order": (_PLAIN, order),
    }
    files |= {f"modules/{name}": (_PLAIN, content) for name, content in chosen}
    return gzip.compress(_archive(files), compresslevel=6, mtime=0)


def _is_static(program: bytes) -> bool:
    """Whether a 64-bit ELF program needs no other file to start: none of its segments names an interpreter."""
    if program[:5] != b"\x7fELF\x02" or len(program) < 64:
        return False
    start, size, count = (int.from_bytes(program[at:end], "little") for at, end in ((32, 40), (54, 56), (56, 58)))
    kinds = [int.from_bytes(program[start + size * one : start + size * one + 4], "little") for one in range(count)]
    return bool(kinds) and _INTERPRETER not in kinds


def _modules(root: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """File name and content of each module and what it needs, in the order in which they can be loaded."""
    needs: dict[str, list[str]] = {}
    for line in (root / "modules.dep").read_text(encoding="ascii").splitlines():
        path, _colon, others = line.partition(":")
        needs[path] = others.split()
    by_name = {_name(path): path for path in needs}
    wanted: dict[str, None] = {}
    for name in names:
        found = by_name.get(name.replace("-", "_"))
        if found is not None:
            wanted |= dict.fromkeys([*reversed(needs[found]), found])
    for path in wanted:
        content = (root / path).read_bytes()
        yield f"{_name(path)}.ko", lzma.decompress(content) if path.endswith(".xz") else content


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".ko")[0].replace("-", "_")


def _archive(files: Mapping[str, tuple[int, bytes]]) -> bytes:
    """A cpio archive of the form that Linux takes (newc)."""
    out = io.BytesIO()
    for number, (name, (mode, content)) in enumerate([*files.items(), ("TRAILER!!!", (0, b""))], start=1):
        whole = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(whole), 0)
        out.write(b"070701" + b"".join(b"%08X" % one for one in fields) + whole)
        out.write(b"\0" * (-out.tell() % 4))
        out.write(content + b"\0" * (-len(content) % 4))
    return out.getvalue()
