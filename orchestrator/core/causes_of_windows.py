"""Causes of Windows machines: what the look before a batch finds, and what the modules of seats and servers say."""

from __future__ import annotations

from orchestrator.core.causes_of_machines import Cause

SEEN = (
    Cause(
        code="psrp_refused",
        says="the machine is on, but nothing listens on its PSRP port",
        remedy="Switch PowerShell remoting over HTTPS on there, or look at its firewall, then plan it again.",
    ),
    Cause(
        code="psrp_silent",
        says="the machine takes connections on its PSRP port and says nothing",
        remedy="It may hang, or something in between holds the line: look at it, then plan it again.",
    ),
    Cause(
        code="not_psrp",
        says="what answers on the machine's PSRP port is no PSRP service",
        remedy="Look which program has that port, and correct the access profile's port; then plan it again.",
    ),
    Cause(
        code="psrp_broke_off",
        says="the machine breaks the PSRP connection off in the midst of an answer",
        remedy="Look at the line and at the machine's remoting service, then plan it again.",
    ),
    Cause(
        code="psrp_login",
        says="the machine refuses Kahn's Windows account or its password",
        remedy="Check the access profile's user, login and password file on the machine, then plan it again.",
    ),
    Cause(
        code="psrp_refuses",
        says="the machine's PSRP service refuses to open a session",
        remedy="Allow the account to use remoting there (read the message in the wave's log), then plan it again.",
    ),
    Cause(
        code="certificate_untrusted",
        says="the machine shows another certificate than the approved one",
        remedy="Find out why: it was renewed, or somebody else answers. Then `kahn asset scan` and propose again.",
    ),
    Cause(
        code="certificate_name",
        says="the machine's certificate is made out to another name than its address",
        remedy="Import the name in its certificate as its address, or give it another certificate; propose again.",
    ),
    Cause(
        code="certificate_times",
        says="the machine's certificate is not valid today",
        remedy="Renew its certificate (and look at both clocks), then `kahn asset scan` and propose again.",
    ),
    Cause(
        code="not_administrator",
        says="Kahn's Windows account is no administrator there",
        remedy="Make it a member of the machine's administrators or take another access profile, then plan it again.",
    ),
)
TOLD = (
    Cause(
        code="names_collide",
        says="two of its files have names that differ in capitals only",
        remedy="Rename one of the two on the old machine, then plan it again: the successor could keep only one.",
    ),
    Cause(
        code="server_not_described",
        says="what is to move of the server is not described, or cannot move",
        remedy="Correct its entry in the runbook's `windows_servers.yml` by the message, then propose the plan again.",
    ),
    Cause(
        code="named_missing",
        says="a service, task, share or folder that is to move is not on the server",
        remedy="Correct its name in the runbook's `windows_servers.yml`, or put it there, then propose the plan again.",
    ),
    Cause(
        code="services_depend",
        says="a service that nobody named needs one that is to be stopped",
        remedy="Name it too in the runbook's `windows_servers.yml`, or stop it for good, then propose the plan again.",
    ),
    Cause(
        code="task_with_password",
        says="a scheduled task runs with a password that Windows gives to nobody",
        remedy="Leave it out of the runbook's `windows_servers.yml` and register it on the new server by hand.",
    ),
    Cause(
        code="share_rights",
        says="a share gives rights that mean nothing on another server",
        remedy="Give them to an account of the domain, or leave the share to people, then plan it again.",
    ),
    Cause(
        code="name_taken",
        says="a share or a task of that name is already on the new server",
        remedy="Look at whose it is; remove it or name another successor, then plan it again.",
    ),
)
