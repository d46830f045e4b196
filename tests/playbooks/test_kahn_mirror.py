"""What the sources of packages do not give is known before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.playbooks.modules import Trouble, cause, shared

mirror = shared("kahn_mirror")
LISTED = """'http://user:secret@mirror.stadt.example/pool/big.deb' big.deb 9000 SHA256:1
'http://user:secret@mirror.stadt.example/pool/small.deb' small.deb 90 SHA256:2
'http://other.stadt.example/x.deb' x.deb 5 SHA256:3
"""


def programs(printed: str, *, silent: str = "", code: int = 0) -> Callable[[Sequence[str], float], tuple[int, str]]:
    """apt's programs of a host; ``silent`` is a server that does not answer."""

    def ask(argv: Sequence[str], _patience_s: float) -> tuple[int, str]:
        if argv[0] == "apt-get":
            assert not {"update", "remove"} & set(argv) and "--print-uris" in argv
            return code, printed
        uri = argv[-2]
        assert not uri.endswith("big.deb"), "the smallest is enough"
        return (100, "E: Connection refused") if silent and silent in uri else (0, "")

    return ask


def test_every_server_of_packages_is_asked_for_its_smallest_file() -> None:
    mirror.refuse_unreachable(["x"], programs(LISTED))
    for silent in ("mirror.stadt.example", "other.stadt.example"):
        with pytest.raises(Trouble) as told:
            mirror.refuse_unreachable(["x"], programs(LISTED, silent=silent))
        assert told.value.cause == "mirror_unreachable" and told.value.facts["server"] == f"http://{silent}"
        assert "secret" not in told.value.says and "Connection refused" in told.value.says


def test_packages_that_do_not_fit_together_are_another_cause() -> None:
    assert cause(mirror.refuse_unreachable, ["x"], programs("unmet dependencies", code=100)) == "packages_failed"
    mirror.refuse_unreachable([], programs("never asked", code=100))


def test_a_folder_as_a_source_is_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "mit Leerzeichen.deb"
    printed = f"'file:{str(path).replace(' ', '%20')}' x.deb 5 SHA256:3\n"
    assert cause(mirror.refuse_unreachable, ["x"], programs(printed)) == "mirror_unreachable"
    path.touch()
    mirror.refuse_unreachable(["x"], programs(printed))


def test_a_host_that_was_never_told_what_its_sources_have_lacks_lists_not_packages(tmp_path: Path) -> None:
    lists = tmp_path / "var/lib/apt/lists"
    assert cause(mirror.refuse_without_lists, ["x"], [], str(tmp_path)) == "no_package_lists"
    mirror.refuse_without_lists([], [], str(tmp_path))
    lists.mkdir(parents=True)
    (lists / "mirror_Packages.lz4").touch()
    mirror.refuse_without_lists(["x"], [], str(tmp_path))
