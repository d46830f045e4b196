"""Runs kahn_membership inside Ansible's worker when it acts from the controller."""

from __future__ import annotations

from ansible.plugins.loader import action_loader

here = action_loader.get("kahn_here", class_only=True)


class ActionModule(here):
    """See kahn_here."""

    MODULE = here.of("kahn_membership")
