"""A host's disk: as large as asked for, with an identity and an ssh service of its own."""

from __future__ import annotations

import pytest

from orchestrator.lab.errors import LabToolFailed
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def host(lab: Lab) -> Host:
    return lab.up(tenant="platte", specs=(HostSpec(name="apc-0001", disk_mib=16),))[1]


def test_the_disk_holds_no_more_than_was_asked_for(host: Host) -> None:
    with pytest.raises(LabToolFailed, match="No space left"):
        host.run("dd", "if=/dev/zero", "of=/var/big", "bs=1M", "count=17", "status=none")
    (host.root / "var/big").unlink()


def test_a_host_refuses_passwords_and_forwards_nothing(host: Host) -> None:
    settings = host.run("/usr/sbin/sshd", "-T").lower().splitlines()
    wanted = {"usepam no", "usedns no", "permitrootlogin without-password", "allowtcpforwarding no"}
    assert wanted <= set(settings)
    assert not [line for line in settings if line.startswith("acceptenv")]


def test_every_host_has_an_identity_of_its_own(lab: Lab, host: Host) -> None:
    jump = lab.host("jump", tenant="platte")
    for path in ("etc/hostname", "etc/machine-id", "etc/ssh/ssh_host_ed25519_key.pub"):
        assert (host.root / path).read_text() != (jump.root / path).read_text()


def test_what_a_host_writes_never_reaches_the_shared_base(host: Host) -> None:
    host.run("sh", "-c", "echo mine > /etc/motd; rm /usr/bin/ssh-keyscan")
    assert "mine" not in (host.base / "etc/motd").read_text()
    assert (host.base / "usr/bin/ssh-keyscan").exists()
