"""Causes that the hosts of a server name when it moves as a whole: packages and services."""

from __future__ import annotations

from orchestrator.core.causes_of_machines import Cause

OF_SERVERS = (
    Cause(
        code="package_lock",
        says="another program works with the packages of the host",
        remedy="Wait until it has ended (often automatic updates), then plan it again.",
    ),
    Cause(
        code="packages_failed",
        says="the host's package programs failed",
        remedy="Read their last words in the result; mend the sources or the broken package there, then plan it again.",
    ),
    Cause(
        code="mirror_unreachable",
        says="a source of packages does not give what is needed",
        remedy="Run `apt-get update` on the new host, look at the server named in the result, then plan it again.",
    ),
    Cause(
        code="no_package_lists",
        says="the new host does not know what its sources of packages have",
        remedy="Run `apt-get update` on the new host, then plan it again.",
    ),
    Cause(
        code="database_version",
        says="the new host has another series of a database server",
        remedy="Give the new host a source with that series, or move the database by `move-procedure`.",
    ),
    Cause(
        code="no_packages",
        says="the host has no dpkg and apt",
        remedy="Move it by a playbook of your own: `kahn runbook adopt`.",
    ),
    Cause(
        code="units_not_read",
        says="systemd did not tell which services there are",
        remedy="Look at systemd on that host, then plan it again.",
    ),
    Cause(
        code="services_differ",
        says="a service does not stand on the new host as it did on the old one",
        remedy="Look at the services named in the result on the new host (`systemctl status`), then plan it again.",
    ),
)
