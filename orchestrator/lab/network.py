"""The lab's cables: one control bridge, one LAN per tenant, a jump host with a leg in both, no routes."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.lab.host import Host
from orchestrator.lab.kernel import NETNS_DIRECTORY, ip_batch, run
from orchestrator.lab.names import CONTROL_ADDRESS, LabNames, control_mac


def network_exists(name: str) -> bool:
    """Whether a network namespace of this name is there."""
    return (NETNS_DIRECTORY / name).exists()


def make_control(names: LabNames) -> None:
    """The controller's namespace with its bridge, if missing. Raises LabToolFailed."""
    _make_bridge(names.control, bridge=names.bridge, address=f"{CONTROL_ADDRESS}/16")


def make_lan(names: LabNames, tenant: int) -> None:
    """One tenant's LAN with its bridge, if missing. Raises LabToolFailed."""
    _make_bridge(names.lan(tenant), bridge=names.bridge, address="10.77.0.1/16")


def _make_bridge(network: str, *, bridge: str, address: str) -> None:
    if network_exists(network):
        return
    run("ip", "netns", "add", network)
    ip_batch(
        (
            "link set lo up",
            f"link add {bridge} type bridge forward_delay 0",
            f"addr add {address} dev {bridge}",
            f"link set {bridge} up",
        ),
        network=network,
    )


def connect(hosts: Sequence[Host]) -> None:
    """Namespaces and cables for new hosts of one tenant. Raises LabToolFailed."""
    if not hosts:
        return
    names, lan = hosts[0].names, hosts[0].names.lan(hosts[0].tenant_number)
    ip_batch([f"netns add {host.network}" for host in hosts])
    ip_batch([line for host in hosts for line in _lan_cable(names, host)], network=lan)
    ip_batch([line for host in hosts if host.is_jump for line in _control_cable(names, host)], network=names.control)
    for host in hosts:
        ip_batch(_address_lines(host), network=host.network)


def _lan_cable(names: LabNames, host: Host) -> tuple[str, ...]:
    port = names.port(host.number)
    return (
        f"link add {port} type veth peer name eth0 address {host.mac} netns {host.network}",
        f"link set {port} master {names.bridge}",
    )


def _control_cable(names: LabNames, host: Host) -> tuple[str, ...]:
    """Jump hosts of different tenants see the controller but not each other (isolated ports)."""
    port, mac = names.jump_port(host.tenant_number), control_mac(host.tenant_number)
    return (
        f"link add {port} type veth peer name eth1 address {mac} netns {host.network}",
        f"link set {port} master {names.bridge}",
        f"link set {port} type bridge_slave isolated on",
    )


def _address_lines(host: Host) -> tuple[str, ...]:
    lines = ["link set lo up", f"addr add {host.address}/16 dev eth0", "link set eth0 up"]
    if host.control_address:
        lines += [f"addr add {host.control_address}/16 dev eth1", "link set eth1 up"]
    return tuple(lines)


def outer_ports(host: Host) -> tuple[tuple[str, str], ...]:
    """(network namespace, interface) of the far end of each of a host's cables."""
    names = host.names
    lan = (names.lan(host.tenant_number), names.port(host.number))
    return (lan, (names.control, names.jump_port(host.tenant_number))) if host.is_jump else (lan,)


def plug_in(host: Host) -> None:
    """Gives the host's cables a signal, unless they are cut. Raises LabToolFailed."""
    if not is_cut(host):
        _set_ports(host, "up")


def unplug(host: Host) -> None:
    """Takes the signal off the cables: a machine without power answers nothing. Raises LabToolFailed."""
    _set_ports(host, "down")


def mark_cut(host: Host, *, cut: bool) -> None:
    """Remembers whether somebody pulled the cables, over power-off and power-on."""
    mark = host.directory / "cut"
    if cut:
        mark.touch()
    else:
        mark.unlink(missing_ok=True)


def is_cut(host: Host) -> bool:
    """Whether somebody pulled the cables."""
    return (host.directory / "cut").exists()


def _set_ports(host: Host, state: str) -> None:
    for network, port in outer_ports(host):
        ip_batch((f"link set {port} {state}",), network=network)
    if (host.directory / "delay.pid").exists():
        delayed = host.names.delay_port(host.number)
        ip_batch((f"link set {delayed} {state}",), network=host.names.lan(host.tenant_number), allow_failure=True)


def scrap_network(host: Host) -> None:
    """Takes a half-made host's namespace and cables away; missing parts are no error."""
    for network, port in outer_ports(host):
        ip_batch((f"link del {port}",), network=network, allow_failure=True)
    ip_batch((f"netns del {host.network}",), allow_failure=True)
