"""Causes that a successor names while it joins its tenant's domain, or disables the old machine's account there."""

from __future__ import annotations

from orchestrator.core.causes_of_machines import Cause

OF_DOMAIN = (
    Cause(
        code="domain_secret_unusable",
        says="the password of the domain's join account cannot be used",
        remedy="Put it into the file that [domain] of the policy names, as its first line, and say chmod 600.",
    ),
    Cause(
        code="domain_tools_missing",
        says="the new machine lacks programs that a member of a domain needs",
        remedy="Put adcli, krb5-user, ldap-utils and libsasl2-modules-gssapi-mit into its image, then plan it again.",
    ),
    Cause(
        code="domain_unreachable",
        says="no controller of the domain answers the new machine",
        remedy="Look at its name service and firewalls (ports 88, 389 and 464) and at [domain] of the policy.",
    ),
    Cause(
        code="domain_clock_wrong",
        says="the new machine's clock and that of the domain differ by more than five minutes",
        remedy="Set the clocks by the same time server, then plan it again.",
    ),
    Cause(
        code="domain_login_refused",
        says="the domain refuses the join account",
        remedy="Compare its name and password with the policy and the secret's file, once, before it gets locked.",
    ),
    Cause(
        code="domain_account_locked",
        says="the domain has locked or disabled the join account",
        remedy="Have it unlocked, look who tried wrong passwords, then plan it again.",
    ),
    Cause(
        code="domain_not_permitted",
        says="the join account may not do that in the domain",
        remedy="Let it make, change and delete computers in the place that [domain] names; nothing else is needed.",
    ),
    Cause(
        code="domain_refused",
        says="the domain refused what was asked of it",
        remedy="Read the message in the wave's log.",
    ),
    Cause(
        code="computer_name_unfit",
        says="the new machine's name cannot be that of a computer in a domain",
        remedy="Give its record a name of at most 15 letters, figures and hyphens, then propose the plan again.",
    ),
    Cause(
        code="computer_taken",
        says="the domain has another computer of the new machine's name already",
        remedy="Give the new machine another name, or remove that account if nobody needs it; it is never taken over.",
    ),
    Cause(
        code="not_a_member",
        says="the new machine gets no ticket of the domain with its own account",
        remedy="Look at its account in the domain and at its keytab.",
    ),
    Cause(
        code="keytab_open",
        says="others than root may read the new machine's keys of the domain",
        remedy="Look who made /etc/krb5.keytab readable; its keys are to be renewed (adcli update).",
    ),
    Cause(
        code="account_changed",
        says="somebody changed the account in the domain at the same moment",
        remedy="Look at the account; the step can be repeated.",
    ),
    Cause(
        code="old_account_unfit",
        says="the account with the old machine's name is not that of a workplace",
        remedy="Compare the old machine's record with the domain: nothing was changed there.",
    ),
    Cause(
        code="old_account_enabled",
        says="the old machine's account in the domain is in force again",
        remedy="Find out who enabled it; disable it by hand if it is not needed.",
    ),
    Cause(
        code="old_account_gone",
        says="somebody deleted the old machine's account, so it cannot be enabled again",
        remedy="Restore it from the domain's recycle bin, or let the old machine join anew by hand.",
    ),
)
