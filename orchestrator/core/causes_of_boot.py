"""Causes of an installation by network boot, as the boot server's machine names them."""

from __future__ import annotations

from orchestrator.core.causes_of_machines import Cause

KNOWN_OF_BOOT = (
    Cause(
        code="no_boot_server",
        says="the machine in the role tool is no boot server",
        remedy="Run `kahn netboot init` and `kahn netboot serve` there, then plan it again.",
    ),
    Cause(
        code="no_mac",
        says="the inventory does not name exactly one hardware address of the machine to install",
        remedy="Import the one by which it boots, then propose the plan again.",
    ),
    Cause(
        code="bad_host_name",
        says="the name of the machine to install cannot be a host name",
        remedy="Name it with a-z, 0-9 and - in the inventory, then propose the plan again.",
    ),
    Cause(
        code="bad_address",
        says="the machine to install has no IP address in the inventory",
        remedy="Import the address that it shall have, then propose the plan again.",
    ),
    Cause(
        code="no_prepared_key",
        says="the boot server has no host key for the machine",
        remedy="Run `kahn netboot key` there, import what it prints, and propose the plan again.",
    ),
    Cause(
        code="prepared_key_differs",
        says="the host key that the machine would get is not the approved one",
        remedy="Import what `kahn netboot key` prints on the boot server, and propose the plan again.",
    ),
    Cause(
        code="boot_record_damaged",
        says="a record of the boot server cannot be read",
        remedy="Find out how it came to be so; move it away (the result names it), then retry.",
    ),
    Cause(
        code="never_booted",
        says="the machine never asked the boot server while its disk was released",
        remedy="Look at cable, boot order and DHCP (`kahn netboot list` and events.jsonl there), then retry.",
    ),
    Cause(
        code="never_began",
        says="the machine fetched the installer again and again without beginning",
        remedy="Look at its console and at files/ of the boot server, then retry.",
    ),
    Cause(
        code="interrupted",
        says="the machine lost power or restarted while its disk was written",
        remedy="Look at the machine, then retry: its disk must be released anew.",
    ),
    Cause(
        code="installer_failed",
        says="the installer gave up",
        remedy="Look at the machine's console, then retry.",
    ),
    Cause(
        code="installer_no_disk",
        says="the installer found no disk of the name in site.toml",
        remedy="Correct `disk` in site.toml of the boot server and restart it, then retry.",
    ),
    Cause(
        code="installer_bad_image",
        says="the image arrived otherwise than it was when the boot server started",
        remedy="Restart `kahn netboot serve` if you changed the image; else look at the network. Then retry.",
    ),
    Cause(
        code="installer_no_image",
        says="the installer could not write the image to the disk",
        remedy="Look at the size of the disk and at the network, then retry.",
    ),
    Cause(
        code="installer_no_root",
        says="the installer could not open the root file system of the image",
        remedy="See docs/netboot.md for what an image must be, then retry.",
    ),
    Cause(
        code="not_installed",
        says="the machine that answers was not installed to the end",
        remedy="Look at its console; then roll it back and have it installed anew.",
    ),
    Cause(
        code="other_name",
        says="the machine that answers has another name than the inventory says",
        remedy="Find out which machine answers at this address.",
    ),
    Cause(
        code="other_machine",
        says="the machine that answers has another hardware address than the inventory says",
        remedy="Find out which machine answers at this address.",
    ),
)
