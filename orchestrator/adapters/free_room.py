"""How much room is left on the disks of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import make_url


def free_gib(place: Path) -> float:
    """Free GiB on the file system of that place; 0 where nobody can tell, so that nothing begins there."""
    try:
        return shutil.disk_usage(place).free / 2**30
    except OSError:
        return 0.0


def database_folder(url: str) -> Path | None:
    """Where the database lies as a file; None for one that a server keeps."""
    address = make_url(url)
    return Path(address.database).absolute().parent if address.drivername == "sqlite" and address.database else None
