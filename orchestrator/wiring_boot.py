"""Names the adapters of the boot server, which knows neither store nor settings: it may stand on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.adapters.netboot_folder import BootFolder
    from orchestrator.adapters.netboot_server import BootServer


def boot_folder(place: Path, *, site: str = "") -> BootFolder:
    """A boot server's folder; made first when a site is given. Raises NoBootFolder."""
    from orchestrator.adapters.netboot_folder import BootFolder  # only who serves bare machines needs it

    return BootFolder.made(place, site) if site else BootFolder(place)


def boot_server(place: Path, *, address: str, port: int) -> BootServer:
    """A boot server, listening. Raises NoBootFolder, SiteWrong, BootAddressRefused."""
    from orchestrator.adapters.netboot_desk import BootDesk  # as above
    from orchestrator.adapters.netboot_server import BootServer  # as above

    return BootServer(BootDesk(boot_folder(place)), address=address, port=port)


def boot_installer(place: Path, *, kernel: Path, modules: Path, busybox: Path, more: tuple[str, ...]) -> int:
    """Size of the installer in KiB, once it is in the folder. Raises NoBootFolder, InstallerIncomplete."""
    from orchestrator.adapters.netboot_initrd import MODULES, InstallerIncomplete, installer  # as above

    folder = boot_folder(place)
    try:
        start = kernel.read_bytes()
    except OSError as cause:
        raise InstallerIncomplete(why=str(cause)) from cause
    return folder.put_installer(start, installer(modules=modules, busybox=busybox, names=(*MODULES, *more)))
