"""Signatures of real keys, each checked by the real program once in a process: tests ask for the same again."""

from __future__ import annotations

from functools import cache

from orchestrator.adapters.signatures import SshSignatures


class RememberedSignatures(SshSignatures):
    """As in life, but an answer that was given is given again: it depends on nothing but what is asked with."""

    def holds(self, message: bytes, *, signature: str, public_key: str) -> bool:
        """Whether the signature over the message was made by that key. Raises NoSshKeygen."""
        return _held(message, signature, public_key)


@cache
def _held(message: bytes, signature: str, public_key: str) -> bool:
    return SshSignatures().holds(message, signature=signature, public_key=public_key)
