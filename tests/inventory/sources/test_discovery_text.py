"""The text of a discovered machine, taken apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inventory.sources.discovery_text import Connection, Listening, sections_of, sockets_of

HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"


def a_socket(here: str, other: str, state: str, inode: int = 1, kind: str = "tcp") -> str:
    return f" {kind}    0: {here} {other} {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0"


def sections(*lines: str, machine: str = "x86_64") -> str:
    return "\n".join(("KAHN-DISCOVERY 1", "@@ host", " srv", " Linux", " 5.10", f" {machine}", *lines, "@@ end", ""))


def sockets(*lines: str, machine: str = "x86_64") -> tuple[tuple[Listening, ...], tuple[Connection, ...]]:
    return sockets_of(sections_of(sections("@@ sockets", *lines, machine=machine))[0])


def test_only_lines_of_a_section_count_and_the_end_must_be_there() -> None:
    found, complete = sections_of("motd of the host\nKAHN-DISCOVERY 1\n@@ host\n srv\nnot ours\n @@ cpu\n@@ end\n")
    assert (found["host"], complete) == (("srv", "@@ cpu"), True)
    assert not sections_of("@@ host\n srv\n")[1]
    assert not sections_of("@@ end\n@@ host\n")[1]


def test_control_characters_are_shown_not_kept_and_long_lines_cut() -> None:
    found, _complete = sections_of("@@ host\n a\x1b[31m\x00b\n " + "x" * 1_000)
    assert found["host"] == ("a?[31m?b", "x" * 300)


def test_addresses_are_read_as_the_kernel_of_that_machine_writes_them() -> None:
    _open, there = sockets(HEADING, a_socket("0700010A:9C40", "0B00010A:1538", "01"))
    assert there == (Connection(other="10.1.0.11", protocol="tcp", port=5432, inbound=False),)
    _open, there = sockets(a_socket("0A010007:9C40", "0A01000B:1538", "01"), machine="s390x")
    assert there[0].other == "10.1.0.11"
    mapped = "0000000000000000FFFF00000B00010A"
    _open, there = sockets(a_socket(f"{mapped[:24]}0700010A:9C40", f"{mapped}:1538", "01", kind="tcp6"))
    assert there[0].other == "10.1.0.11"


def test_a_connection_to_a_port_that_listens_came_in() -> None:
    open_ports, there = sockets(
        a_socket("00000000:01BB", "00000000:0000", "0A", 7), a_socket("0700010A:01BB", "0B00010A:D431", "01")
    )
    assert open_ports == (Listening(protocol="tcp", port=443),)
    assert there == (Connection(other="10.1.0.11", protocol="tcp", port=443, inbound=True),)


def test_what_stays_on_the_machine_is_left_out() -> None:
    local = a_socket("0100007F:0CEA", "00000000:0000", "0A")
    talk = a_socket("0100007F:9C40", "0100007F:0CEA", "01")
    half = a_socket("0700010A:9C40", "0B00010A:1538", "02")
    assert sockets(local, talk, half) == ((), ())


def test_a_port_is_known_by_the_process_that_holds_it() -> None:
    text = (
        a_socket("00000000:0CEA", "00000000:0000", "0A", 77),
        "@@ holders",
        " 12",
        " s77",
        "@@ processes",
        " 12 \tmariadbd",
    )
    assert sockets(*text)[0] == (Listening(protocol="tcp", port=3306, process="mariadbd"),)


@given(st.text(alphabet=st.sampled_from("@ \n\0tcp0123456789ABCDEF:st"), max_size=400))
def test_no_text_breaks_the_reading(noise: str) -> None:
    found, _complete = sections_of("@@ sockets\n" + noise + "\n@@ holders\n" + noise)
    sockets_of(found)
