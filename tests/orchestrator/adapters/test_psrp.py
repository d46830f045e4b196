"""A Windows machine is asked by real PSRP, here of a protocol double, and each trouble has its own cause."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.model import AssetId
from inventory.psrp_options import Psrp
from orchestrator.adapters.fleet import look_at
from orchestrator.adapters.psrp import shown_certificate
from orchestrator.adapters.ssh import read_host_keys
from orchestrator.adapters.ssh_session import NoKey, Patience
from orchestrator.core.access import AccessProfile
from orchestrator.core.fleet import Post, findings
from orchestrator.core.host_keys import Door, fingerprint
from orchestrator.lab.certificates import a_certificate
from orchestrator.lab.psrp_double import Answer, Double, a_double

PATIENT = Patience(connect_s=30, greet_s=60, exchange_s=120)
LOOK = ("kahn-look 1", "become 1", "root rw", "free_kib 50000000", "cores 4")


def a_look(*lines: str) -> Answer:
    return Answer(output=(*(lines or LOOK), f"time {round(datetime.now(UTC).timestamp())}"))


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    with a_double(certificate=a_certificate(tmp_path), scripts={"kahn-look": a_look}) as made:
        yield made


def a_door(double: Double, tmp_path: Path, *, known: str | None = None, password: str = "geheim") -> Door:
    """The way to the double; its own certificate is the known one unless another is given."""
    secret = tmp_path / "password"
    secret.write_text(f"{password}\n")
    profile = AccessProfile(
        name="windows", user="kahn", key_file=str(secret), port=double.port, psrp=Psrp(login="basic")
    )
    return Door(
        asset=AssetId("pc-1"), address="localhost", profile=profile, known=double.host_key if known is None else known
    )


def causes(door: Door, patience: Patience = PATIENT) -> list[str]:
    """What the look at this one machine holds its asset back for."""
    post = Post(machine="PC", door=door, assets=(door.asset,), shared=False)
    return [one.cause for one in findings([post], look_at([door], patience=patience))]


def test_a_scan_shows_the_certificate_as_a_host_key(double: Double, tmp_path: Path) -> None:
    door = a_door(double, tmp_path, known="")
    (answer,) = read_host_keys([door], patience=PATIENT)
    assert answer.key == double.host_key and fingerprint(answer.key).startswith("SHA256:")


def test_a_machine_that_is_well_speaks_and_holds_nothing_back(double: Double, tmp_path: Path) -> None:
    assert causes(a_door(double, tmp_path)) == []
    assert double.asked == ["kahn-look"]


def test_a_wrong_password_is_told_as_such(double: Double, tmp_path: Path) -> None:
    assert causes(a_door(double, tmp_path, password="falsch")) == ["psrp_login"]


@pytest.mark.parametrize(("password", "cause"), [("geheim", []), ("falsch", ["psrp_login"])])
def test_one_logs_in_by_ntlm_with_an_account_of_the_domain(
    double: Double, tmp_path: Path, password: str, cause: list[str]
) -> None:
    double.ntlm = tmp_path / "users"
    double.ntlm.write_text("STADT:kahn:geheim\n")
    door = a_door(double, tmp_path, password=password)
    profile = replace(door.profile, user="STADT\\kahn", psrp=Psrp(login="ntlm"))
    assert causes(replace(door, profile=profile)) == cause


def test_one_logs_in_by_certificate_without_any_password(double: Double, tmp_path: Path) -> None:
    door = a_door(double, tmp_path)
    cert, key = a_certificate(tmp_path / "ours")
    way = Psrp(login="certificate", certificate_file=str(cert))
    double.lets_in(cert)
    assert causes(replace(door, profile=replace(door.profile, psrp=way, key_file=str(key)))) == []


def test_another_certificate_than_the_known_one_is_not_logged_in_to(double: Double, tmp_path: Path) -> None:
    with a_double(certificate=a_certificate(tmp_path / "other")) as other:
        known = other.host_key
    assert causes(a_door(double, tmp_path, known=known)) == ["certificate_untrusted"]
    assert double.asked == []


def test_a_certificate_for_another_name_is_neither_scanned_nor_believed(double: Double, tmp_path: Path) -> None:
    door = replace(a_door(double, tmp_path), address="127.1")
    assert causes(door) == ["certificate_name"]
    with pytest.raises(NoKey, match="certificate_name"):
        shown_certificate(door, patience=PATIENT)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("garbage", "not_psrp"), ("web", "not_psrp"), ("hang", "psrp_silent"), ("drop", "psrp_broke_off")],
)
def test_each_fault_of_the_line_has_its_cause(double: Double, tmp_path: Path, fault: str, cause: str) -> None:
    door = a_door(double, tmp_path)
    double.fault = fault
    assert causes(door, Patience(connect_s=30, greet_s=60 if fault != "hang" else 2, exchange_s=60)) == [cause]


def test_a_closed_port_is_told_as_such(double: Double, tmp_path: Path) -> None:
    door = a_door(double, tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = replace(door.profile, port=taken.getsockname()[1])
        assert causes(replace(door, profile=closed)) == ["psrp_refused"]


@contextmanager
def talking_plainly(words: bytes) -> Iterator[int]:
    """The port of a service that greets everybody with these bytes and knows no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            try:
                while True:
                    line, _whence = server.accept()
                    with line:
                        line.sendall(words)
                        line.recv(4096)
            except OSError:
                return

        threading.Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_another_service_on_that_port_is_told_as_such(double: Double, tmp_path: Path) -> None:
    door = a_door(double, tmp_path)
    with talking_plainly(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        assert causes(replace(door, profile=replace(door.profile, port=port))) == ["not_psrp"]


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (lambda: a_look("kahn-look 1", "become 0", "root rw", "free_kib 50000000"), "not_administrator"),
        (lambda: Answer(output=("\x1b[2J{{ 1 }}", "become 1")), "no_sensible_answer"),
        (lambda: Answer(rc=1, error="access is denied"), "no_sensible_answer"),
        (lambda: Answer(output=("x" * 70_000,) * 30), "no_sensible_answer"),
    ],
)
def test_what_the_machine_says_decides(double: Double, tmp_path: Path, said: Callable[[], Answer], cause: str) -> None:
    double.scripts["kahn-look"] = said
    assert causes(a_door(double, tmp_path)) == [cause]


def test_without_a_known_certificate_nobody_logs_in(double: Double, tmp_path: Path) -> None:
    assert causes(a_door(double, tmp_path, known="")) == [""]
    assert double.asked == []
