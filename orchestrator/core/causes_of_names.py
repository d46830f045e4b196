"""Causes that name servers give: names that lead elsewhere, updates that are refused, and times to live."""

from __future__ import annotations

from orchestrator.core.causes_of_machines import Cause

OF_NAMES = (
    Cause(
        code="names_differ",
        says="the authoritative name server does not lead where it should, or its zone's serial is not newer",
        remedy="Ask it by hand (`dig @SERVER NAME`); correct the zone or the command that raises its serial.",
    ),
    Cause(
        code="names_unanswered",
        says="the authoritative name server gives no authoritative answer",
        remedy="Look whether it runs and knows the zone (`dns_server`, `dns_names` in the policy), then plan it again.",
    ),
    Cause(
        code="names_alias",
        says="a name is only another name (CNAME) of the one that leads to the server",
        remedy="Name the one with the address in `dns_names` of the policy, then plan it again.",
    ),
    Cause(
        code="names_cached",
        says="resolvers may still know a name with its old time to live",
        remedy="Nothing needs to be done: the switch waits until that time is over.",
    ),
    Cause(
        code="names_changed",
        says="somebody changed a name meanwhile, so it was left alone",
        remedy="Ask the name server (`dig @SERVER NAME`) and whoever changed it, then plan it again.",
    ),
    Cause(
        code="names_clock_wrong",
        says="the clocks of gateway and name server differ too much for a signed update",
        remedy="Set the clock that is wrong (time service), then plan it again.",
    ),
    Cause(
        code="names_key_invalid",
        says="the key for the name server is missing on the gateway, open to others, or no key",
        remedy="Write it there with `tsig-keygen`, root's alone (chmod 600), or correct `dns_key_file` in the policy.",
    ),
    Cause(
        code="names_key_wrong",
        says="the name server does not take the key: it knows none, has another secret, or lets it change none (Knot)",
        remedy="Compare the key file on the gateway with the name server's configuration, then plan it again.",
    ),
    Cause(
        code="names_live_long",
        says="resolvers keep a name for longer than a wave waits",
        remedy="Lower its time to live by hand, wait until the old one is over, then plan it again.",
    ),
    Cause(
        code="names_not_primary",
        says="the name server takes no updates of the zone: it is not its primary",
        remedy="Name the zone's primary name server as `dns_server` in the policy, then plan it again.",
    ),
    Cause(
        code="names_refused",
        says="the name server does not let the key change that name",
        remedy="Allow the key to change it (`update-policy` of BIND, `acl` of Knot), then plan it again.",
    ),
)
