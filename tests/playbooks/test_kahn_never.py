"""What never goes with a server, and that each has its reason."""

from __future__ import annotations

import pytest

from tests.playbooks.modules import cause, shared

never = shared("kahn_never")


@pytest.mark.parametrize(
    "path",
    ["etc/machine-id", "etc/ssh/ssh_host_rsa_key", "etc/fstab", "etc/passwd", "etc/passwd-", "etc/shadow", "root/.ssh",
     "root/.ssh/authorized_keys", "etc/network/interfaces", "etc/netplan/01.yaml", "etc/rc3.d/S01cron", "etc/lvm",
     "etc/systemd/system/x.service.d/kahn-barrier.conf", "etc/default/grub", "etc/cloud/cloud.cfg", "etc/resolv.conf"],
)  # fmt: skip
def test_what_belongs_to_the_old_machine_is_never_carried(path: str) -> None:
    assert never.path_reason(path)


@pytest.mark.parametrize(
    "path", ["etc/kasse.conf", "etc/cron.d/backup", "home/root/.ssh/x", "var/lib/kasse", "etc/hosts"]
)
def test_what_people_put_there_is(path: str) -> None:
    assert not never.path_reason(path)


def test_units_and_packages_of_each_machine_stay() -> None:
    assert all(
        map(never.unit_reason, ("ssh.service", "systemd-timesyncd.service", "getty@tty1.service", "cloud-init.service"))
    )
    assert not any(map(never.unit_reason, ("postgresql@15-main.service", "cron.service", "kasse.timer")))
    assert all(map(never.package_reason, ("linux-image-amd64", "qemu-guest-agent", "intel-microcode", "grub-pc")))
    assert not any(map(never.package_reason, ("postgresql", "cron")))


def test_a_name_of_a_package_that_could_be_an_option_of_apt_is_refused() -> None:
    never.refuse({"packages": ["cron"], "configured": {"libc6": ["2.36", ["etc/x"]], "g++-12": ["12", []]}})
    for told in ({"configured": {"-oDir::Bin::dpkg=/srv/evil": ["1", []]}}, {"packages": ["-cfile"]}):
        assert cause(never.refuse, told) == "parcel_damaged"


def test_each_has_a_reason_and_none_stands_there_twice() -> None:
    for rows in (never.PATHS, never.UNITS, never.PACKAGES):
        assert all(pattern and reason for pattern, reason in rows)
        assert len({pattern for pattern, _reason in rows}) == len(rows)
