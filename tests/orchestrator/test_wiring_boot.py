"""The boot server is put together from its folder alone."""

from __future__ import annotations

from pathlib import Path

from orchestrator.wiring_boot import boot_folder, boot_server
from tests.orchestrator.boot_folders import MAC, a_folder


def test_a_server_works_on_the_folder_it_was_given(tmp_path: Path) -> None:
    a_folder(tmp_path)
    server = boot_server(tmp_path, address="127.0.0.1", port=0)
    server.server_close()
    assert server.desk.folder.place == boot_folder(tmp_path).place
    assert boot_folder(tmp_path).macs() == (MAC,)
