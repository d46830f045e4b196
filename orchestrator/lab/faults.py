"""What can befall a host: each fault is one function, and ``heal`` takes all of them back."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.lab.background import stop_background
from orchestrator.lab.disk import HOST_KEY, make_host_key
from orchestrator.lab.errors import LabFaultUnknown, LabFeatureMissing, LabHostOff, LabToolFailed
from orchestrator.lab.host import Host
from orchestrator.lab.kernel import MOST_S, ip_batch, run
from orchestrator.lab.network import is_cut, mark_cut, outer_ports, plug_in, unplug
from orchestrator.lab.power import READY_WAIT_S, own_program, power_off, power_on, shut_down

FILL_FILE = "var/kahn-lab-fill"
RESTLESS_MARK = "kahn-lab-restless"
_MEDDLE = (
    "setsid sh -c 'while :; do find /home -type f -exec tee -a {} + </etc/hostname >/dev/null; sleep 0.2; done' "
    + RESTLESS_MARK + " </dev/null >/dev/null 2>&1 &"
)  # fmt: skip
_LOSS, _REFUSE = "kahn_lab_loss", "kahn_lab_refuse"
_RATE = re.compile(r"[1-9][0-9]{0,5}(kbit|mbit|gbit)")
_SCRIBBLE = (
    'setsid setpriv --reuid "$1" --regid "$2" --clear-groups sh -c '
    '\'while :; do echo "still working" >> "$1" || exit; sleep 0.05; done\' ' + RESTLESS_MARK + ' "$3" '
    "</dev/null >/dev/null 2>&1 &"
)


def apply_fault(host: Host, kind: str, value: str = "") -> None:
    """Does one fault to a host. Raises LabFaultUnknown, LabFeatureMissing, LabHostOff, LabToolFailed."""
    if kind not in FAULTS:
        raise LabFaultUnknown(fault=kind, value=value, known=", ".join(FAULTS))
    FAULTS[kind](host, value)


def _whole(value: str, *, default: int, most: int, fault: str) -> int:
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= most:
        raise LabFaultUnknown(fault=fault, value=value, known=f"a whole number from 1 to {most}")
    return int(value)


@contextmanager
def _needs(fault: str, feature: str) -> Iterator[None]:
    """Names the kernel feature when the tool that needs it fails."""
    try:
        yield
    except LabToolFailed as cause:
        raise LabFeatureMissing(fault=fault, feature=f"{feature} ({cause.facts['reason']})") from cause


def _power_off(host: Host, _value: str) -> None:
    power_off(host)


def _power_on(host: Host, _value: str) -> None:
    power_on((host,), wait_s=_patience_s(host))


def _patience_s(host: Host) -> float:
    """How long to wait for ssh: not at all where a fault keeps it silent."""
    refuses = _REFUSE in run("nft", "list", "tables", network=host.network)
    return 0 if is_cut(host) or refuses or (host.directory / "delay.pid").exists() else READY_WAIT_S


def _shut_down(host: Host, _value: str) -> None:
    shut_down(host)


def _cut(host: Host, _value: str) -> None:
    """Cable pulled: no answer at all, connections run into their timeout."""
    mark_cut(host, cut=True)
    unplug(host)


def _join(host: Host, _value: str) -> None:
    mark_cut(host, cut=False)
    if host.running:
        plug_in(host)


def _refuse(host: Host, _value: str) -> None:
    """The ssh port answers with a reset."""
    rule = "tcp dport 22 reject with tcp reset"
    with _needs("refuse", "the packet filter nf_tables with reject"):
        _table(host, _REFUSE, f"chain input {{ type filter hook input priority -5; {rule}; }}")


def _loss(host: Host, value: str) -> None:
    """Percent of packets dropped, both ways; 5 unless told."""
    percent = _whole(value, default=5, most=99, fault="loss")
    chains = (
        f"chain {way} {{ type filter hook {way} priority 0; numgen random mod 100 < {percent} drop; }}"
        for way in ("input", "output")
    )
    with _needs("loss", "the packet filter nf_tables with numgen"):
        _table(host, _LOSS, "\n".join(chains))


def _table(host: Host, name: str, chains: str = "") -> None:
    """Replaces one of the lab's own packet filter tables; without chains it is gone."""
    made = f"table inet {name} {{\n{chains}\n}}\n" if chains else ""
    run("nft", "-f", "-", stdin=f"table inet {name}\ndelete table inet {name}\n{made}", network=host.network)


def _rate(host: Host, value: str) -> None:
    """Slow line, for example 2mbit; 1mbit unless told."""
    rate = value or "1mbit"
    if not _RATE.fullmatch(rate):
        raise LabFaultUnknown(fault="rate", value=value, known="for example 512kbit or 2mbit")
    _no_rate(host)
    bucket = ("tbf", "rate", rate, "burst", "32k", "latency", "400ms")
    with _needs("rate", "the traffic shaper tbf"):
        for network, port in _line_ends(host):
            run("tc", "-n", network, "qdisc", "add", "dev", port, "root", *bucket)


def _no_rate(host: Host) -> None:
    for network, port in _line_ends(host):
        run("tc", "-n", network, "qdisc", "del", "dev", port, "root", allow_failure=True)


def _line_ends(host: Host) -> tuple[tuple[str, str], ...]:
    return ((host.network, "eth0"), outer_ports(host)[0])


def _delay(host: Host, value: str) -> None:
    """Milliseconds each way, 20 unless told; a small program carries each frame late, for kernels without netem."""
    delay_ms = _whole(value, default=20, most=10_000, fault="delay")
    if not Path("/dev/net/tun").exists():
        raise LabFeatureMissing(fault="delay", feature="TAP devices (/dev/net/tun)")
    _no_delay(host)
    run(*own_program("delay", str(host.lab), host.tenant, host.name, str(delay_ms)))


def _no_delay(host: Host) -> None:
    pid_file = host.directory / "delay.pid"
    if pid_file.exists():
        stop_background(pid_file, module="delay")
        lines = (f"addr replace {host.address}/16 dev eth0", "link set eth0 up")
        until = time.monotonic() + MOST_S
        while "wan0" in run("ip", "-n", host.network, "-o", "link") and time.monotonic() < until:
            time.sleep(0.02)
        ip_batch(lines, network=host.network)


def _hang(host: Host, _value: str) -> None:
    """Frozen: TCP connects, nothing ever answers."""
    _freeze(host, frozen=True)


def _thaw(host: Host, _value: str) -> None:
    _freeze(host, frozen=False)


def _freeze(host: Host, *, frozen: bool) -> None:
    group = host.cgroup
    if group is None or (group.exists() and not (group / "cgroup.freeze").exists()):
        raise LabFeatureMissing(fault="hang" if frozen else "thaw", feature="the cgroup2 freezer")
    if not host.running:
        if frozen:
            raise LabHostOff(name=host.name, wish="hang")
        return
    (group / "cgroup.freeze").write_text("1" if frozen else "0")
    until = time.monotonic() + MOST_S
    while f"frozen {int(frozen)}" not in (group / "cgroup.events").read_text() and time.monotonic() < until:
        time.sleep(0.01)


def _fill(host: Host, _value: str) -> None:
    """No byte left on the disk."""
    with open(host.root / FILL_FILE, "ab", buffering=0) as out:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while True:
                    out.write(b"\0" * size)


def _empty(host: Host, _value: str) -> None:
    (host.root / FILL_FILE).unlink(missing_ok=True)


def _rekey(host: Host, _value: str) -> None:
    """Reinstalled behind our back: another ssh host key."""
    was_running = host.running
    keep = host.directory / "born_key"
    power_off(host)
    if not keep.exists():
        keep.write_text((host.upper / HOST_KEY).read_text())
        keep.with_suffix(".pub").write_text((host.upper / f"{HOST_KEY}.pub").read_text())
    make_host_key(host)
    if was_running:
        _power_on(host, "")


def _own_key_again(host: Host) -> None:
    keep = host.directory / "born_key"
    if not keep.exists():
        return
    was_running = host.running
    power_off(host)
    (host.upper / HOST_KEY).write_text(keep.read_text())
    (host.upper / f"{HOST_KEY}.pub").write_text(keep.with_suffix(".pub").read_text())
    keep.unlink()
    keep.with_suffix(".pub").unlink()
    if was_running:
        _power_on(host, "")


def _restless(host: Host, value: str) -> None:
    """Somebody still works: a line every 50 ms at the end of a user's file (the first in /home unless told)."""
    path = value or _first_user_file(host)
    owner = os.lstat(host.root / path.lstrip("/"))
    _in_background(host, host.inside("sh", "-c", _SCRIBBLE, "sh", str(owner.st_uid), str(owner.st_gid), path))


def _meddle(host: Host, _value: str) -> None:
    """Somebody uses the machine too early: each file that arrives below /home is written to."""
    _in_background(host, host.inside("sh", "-c", _MEDDLE))


def _in_background(host: Host, words: Sequence[str]) -> None:
    """Start words inside the host, in its own group, so that they end with it."""
    group = host.cgroup
    run("sh", "-c", 'test -z "$1" || echo $$ > "$1/cgroup.procs"; shift; exec "$@"', "sh", str(group or ""), *words)


def _first_user_file(host: Host) -> str:
    root = host.root
    if not host.running:
        raise LabHostOff(name=host.name, wish="restless work")
    for directory, below, files in os.walk(root / "home"):
        below.sort()
        for name in sorted(files):
            found = os.lstat(os.path.join(directory, name))
            if found.st_uid >= 1000 and (found.st_mode & 0o170200) == 0o100200:
                return "/" + os.path.relpath(os.path.join(directory, name), root)
    raise LabFaultUnknown(fault="restless", value="", known="name a file; this host has no user files")


def _no_restless(host: Host) -> None:
    if host.running:
        host.run("sh", "-c", f"pkill -KILL -f {RESTLESS_MARK[:-1]}[{RESTLESS_MARK[-1]}]; true")


def _heal(host: Host, _value: str) -> None:
    """Everything as it was, powered on; what the host itself changed stays."""
    _no_delay(host)
    _join(host, "")
    _no_rate(host)
    _table(host, _LOSS)
    _table(host, _REFUSE)
    with suppress(LabFeatureMissing):
        _thaw(host, "")
    _no_restless(host)
    _empty(host, "")
    _own_key_again(host)
    _power_on(host, "")


FAULTS: dict[str, Callable[[Host, str], None]] = {
    "power-off": _power_off,
    "power-on": _power_on,
    "shut-down": _shut_down,
    "cut": _cut,
    "join": _join,
    "refuse": _refuse,
    "hang": _hang,
    "thaw": _thaw,
    "fill": _fill,
    "empty": _empty,
    "rate": _rate,
    "loss": _loss,
    "delay": _delay,
    "rekey": _rekey,
    "restless": _restless,
    "meddle": _meddle,
    "heal": _heal,
}
