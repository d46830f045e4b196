"""What never goes with a server to its new host, each with the reason. Python 3.9, standard library only.

Paths are relative to the root, with wildcards as a shell has them, except that a star also matches a slash. What is
said of a path holds for everything below it.
"""

from __future__ import annotations

import fnmatch
import re

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable

DATA = ("home", "opt", "root", "srv", "usr/local", "var/mail", "var/spool/anacron",
        "var/spool/cron/atjobs", "var/spool/cron/crontabs", "var/www")  # fmt: skip
"""Folders that are carried whole, beside those of /var/lib and what was changed in /etc."""
PATHS = (
    ("etc/machine-id", "says which machine it is: two with one would take each other's addresses and logs"),
    ("var/lib/dbus/machine-id", "the same"),
    ("etc/ssh", "the way in to each host, and the key by which it is known, are its own since it was set up"),
    ("root/.ssh", "who may log in to the new host as root was decided when it was set up"),
    ("etc/fstab", "names disks of the old hardware"),
    ("etc/crypttab", "names disks of the old hardware"),
    ("etc/mdadm*", "names disks of the old hardware"),
    ("etc/lvm", "names disks of the old hardware"),
    ("etc/iscsi", "the name by which its storage knows the old host"),
    ("etc/initramfs-tools", "belongs to kernel and boot of each machine"),
    ("etc/kernel", "belongs to kernel and boot of each machine"),
    ("etc/default/grub*", "belongs to kernel and boot of each machine"),
    ("etc/grub.d", "belongs to kernel and boot of each machine"),
    ("etc/modprobe.d", "belongs to the hardware"),
    ("etc/modules*", "belongs to the hardware"),
    ("etc/udev", "belongs to the hardware"),
    ("etc/X11", "belongs to the hardware"),
    ("etc/network*", "addresses and names of network cards of the old host"),
    ("etc/netplan", "addresses and names of network cards of the old host"),
    ("etc/NetworkManager", "addresses and names of network cards of the old host"),
    ("etc/systemd/network", "addresses and names of network cards of the old host"),
    ("etc/dhcp*", "addresses and names of network cards of the old host"),
    ("etc/resolv.conf", "the new network says whom to ask for names"),
    ("etc/passwd*", "accounts are made one by one, with their numbers; the rest belongs to the new system"),
    ("etc/shadow*", "the same"),
    ("etc/group*", "the same"),
    ("etc/gshadow*", "the same"),
    ("etc/subuid*", "the same"),
    ("etc/subgid*", "the same"),
    ("etc/.pwd.lock", "the same"),
    ("etc/cloud", "the hypervisor's agent: its secrets are of the old place"),
    ("etc/vmware-tools", "the hypervisor's agent: its secrets are of the old place"),
    ("etc/qemu", "the hypervisor's agent: its secrets are of the old place"),
    ("etc/waagent.conf", "the hypervisor's agent: its secrets are of the old place"),
    ("etc/apt", "the new host has sources of its own; packages come from there"),
    ("etc/alternatives", "made by the packages that are installed"),
    ("etc/rc?.d", "made by the packages that are installed; what is switched on is carried by name"),
    ("etc/ld.so.cache", "made by the packages that are installed"),
    ("etc/ssl/certs/ca-certificates.crt", "made by the packages that are installed"),
    ("etc/ca-certificates.conf", "made by the packages that are installed"),
    ("etc/mtab", "made by the running system"),
    ("etc/adjtime", "the clock of the old hardware"),
    ("etc/os-release", "says which system it is"),
    ("etc/debian_version", "says which system it is"),
    ("etc/localtime", "set when the new host was set up"),
    ("etc/timezone", "set when the new host was set up"),
    ("etc/systemd/system/*/kahn-barrier.conf", "Kahn's own barrier on this side"),
    ("var/lib/kahn", "Kahn's own notes on this side"),
    ("var/lib/apt", "made by the packages that are installed"),
    ("var/lib/dpkg", "made by the packages that are installed"),
    ("var/lib/ucf", "made by the packages that are installed"),
    ("var/lib/pam", "made by the packages that are installed"),
    ("var/lib/python", "made by the packages that are installed"),
    ("var/lib/misc", "made by the packages that are installed"),
    ("var/lib/shells.state", "made by the packages that are installed"),
    ("var/lib/initramfs-tools", "belongs to kernel and boot of each machine"),
    ("var/lib/systemd", "state of the running system"),
    ("var/lib/private", "state of the running system"),
    ("var/lib/dbus", "state of the running system"),
    ("var/lib/polkit-1", "state of the running system"),
    ("var/lib/sudo", "state of the running system"),
    ("var/lib/dhcp", "addresses of the old host"),
    ("var/lib/NetworkManager", "addresses of the old host"),
    ("var/lib/cloud", "the hypervisor's agent: its secrets are of the old place"),
    ("var/lib/waagent", "the hypervisor's agent: its secrets are of the old place"),
)  # fmt: skip
UNITS = (
    ("ssh*", "the way in to each machine"),
    ("systemd-*", "part of the system"),
    ("dbus*", "part of the system"),
    ("*getty*", "part of the system"),
    ("user@*", "part of the system"),
    ("user-runtime-dir@*", "part of the system"),
    ("polkit*", "part of the system"),
    ("udev*", "part of the system"),
    ("kmod*", "part of the system"),
    ("apparmor*", "part of the system"),
    ("console-setup*", "part of the system"),
    ("keyboard-setup*", "part of the system"),
    ("apt-daily*", "part of the system"),
    ("dpkg-db-backup*", "part of the system"),
    ("man-db*", "part of the system"),
    ("e2scrub*", "part of the system"),
    ("fstrim*", "part of the system"),
    ("rsyslog*", "part of the system"),
    ("syslog*", "part of the system"),
    ("networking*", "network of each machine"),
    ("NetworkManager*", "network of each machine"),
    ("ifup*", "network of each machine"),
    ("ifupdown*", "network of each machine"),
    ("lvm2*", "disks of each machine"),
    ("mdadm*", "disks of each machine"),
    ("blk-availability*", "disks of each machine"),
    ("cloud-*", "the hypervisor's agent"),
    ("qemu-guest-agent*", "the hypervisor's agent"),
    ("open-vm-tools*", "the hypervisor's agent"),
    ("vgauth*", "the hypervisor's agent"),
    ("hv-*", "the hypervisor's agent"),
    ("walinuxagent*", "the hypervisor's agent"),
    ("grub*", "belongs to kernel and boot of each machine"),
    ("remote-fs*", "part of the system"),
    ("timers.target*", "part of the system"),
)  # fmt: skip
PACKAGES = (
    ("linux-*", "belongs to kernel and boot of each machine"),
    ("grub*", "belongs to kernel and boot of each machine"),
    ("shim*", "belongs to kernel and boot of each machine"),
    ("initramfs-tools*", "belongs to kernel and boot of each machine"),
    ("firmware-*", "belongs to the hardware"),
    ("*-microcode", "belongs to the hardware"),
    ("cloud-*", "the hypervisor's agent"),
    ("qemu-guest-agent", "the hypervisor's agent"),
    ("open-vm-tools*", "the hypervisor's agent"),
    ("virtualbox-guest-*", "the hypervisor's agent"),
    ("hyperv-daemons", "the hypervisor's agent"),
    ("walinuxagent", "the hypervisor's agent"),
)


_UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@\\-]{0,250}\.(service|timer|socket|path)")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{0,200}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?")
_ANY = re.compile("|".join(fnmatch.translate(one + end) for one, _ in PATHS for end in ("", "/*")))


def refuse(told):
    """That another host names only what may be carried at all: tops, units, packages and a name. Raises Trouble.

    An old host that is in somebody else's hands must not shut the way in to the new one.
    """
    tops = told.get("tops", {})
    units, packages = told.get("units", ()), told.get("packages", ())
    wrong = [one for one in tops.get("data", ()) if not _is_top(one)]
    wrong += [one for one in tops.get("configuration", ()) if not one.startswith("etc/") or path_reason(one)]
    wrong += [one for one in units if not _UNIT.fullmatch(one) or unit_reason(one)]
    wrong += [one for one in packages if not _PACKAGE.fullmatch(one) or package_reason(one)]
    # Names of packages and their files go to apt and to people; a release is only shown.
    wrong += [one for one in told.get("configured", {}) if not _PACKAGE.fullmatch(one)]
    wrong += [one for one in (told.get("hostname"),) if one and not _HOST.fullmatch(one)]
    if wrong:
        raise Trouble("parcel_damaged", "The other host names what is never carried: " + printable(wrong[0]) + ".")


def _is_top(path):
    return path in DATA or (path.startswith("var/lib/") and path.count("/") == 2 and not path_reason(path))


def path_reason(path):
    """Why a path (relative to the root) is never carried; empty when it may be."""
    if not _ANY.match(path):
        return ""
    for pattern, reason in PATHS:
        if fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, pattern + "/*"):
            return reason
    return ""


def unit_reason(name):
    """Why a unit is never carried; empty when it may be."""
    return next((reason for pattern, reason in UNITS if fnmatch.fnmatchcase(name, pattern)), "")


def package_reason(name):
    """Why a package is never carried; empty when it may be."""
    return next((reason for pattern, reason in PACKAGES if fnmatch.fnmatchcase(name, pattern)), "")
