#!/usr/bin/python
"""An asset's shelf in the vault: archive, manifest, and the seal that says which of them belong together."""

from __future__ import annotations

import json
import os
import re

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kahn_outcome import Trouble, conclude, remove_file, store_of, write_whole
from ansible.module_utils.kahn_tree import digest_of_file

DOCUMENTATION = """
module: kahn_vault
short_description: An asset's shelf in the vault
options:
  asset: {type: str, required: true, description: Asset id; names the shelf}
  state: {type: str, choices: [ready, read, sealed, checked, absent], required: true, description: What to do}
  shelves: {type: str, default: /srv/kahn-vault, description: Directory of all shelves}
  need_bytes: {type: int, default: 0, description: Room needed (ready)}
  manifest: {type: str, description: Digest of what is to be saved; needs no room when it is sealed (ready)}
  seal: {type: dict, description: "manifest, archive, bytes, entries (sealed)"}
"""
SPARE = 16 * 1024 * 1024
PART = ".tar.part"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def read_seal(shelf):
    """The seal, or an empty one. Raises Trouble when it cannot be read."""
    try:
        with open(os.path.join(shelf, "seal"), "rb") as opened:
            seal = json.load(opened)
    except FileNotFoundError:
        return {"manifest": "", "archive": ""}
    except ValueError:
        raise Trouble("archive_damaged", "The seal in the vault is not readable.") from None
    if not all(_DIGEST.fullmatch(str(seal.get(one, ""))) for one in ("manifest", "archive")):
        raise Trouble("archive_damaged", "The seal in the vault is not readable.")
    return seal


def ready(shelf, need_bytes, manifest):
    """The present seal, where the archive of this manifest belongs, and room for it unless it is sealed already."""
    if not _DIGEST.fullmatch(manifest):
        raise Trouble("manifest_damaged", "The old host's manifest has no digest.")  # it would become a file's name
    room = os.statvfs(shelf)
    free, seal = room.f_bavail * room.f_frsize + _drop_other_parts(shelf, manifest), read_seal(shelf)
    if seal["manifest"] != manifest and free < need_bytes + SPARE:
        says = f"The vault has {free >> 20} MiB free and needs {(need_bytes + SPARE) >> 20}."
        raise Trouble("vault_full", says, free_bytes=free, need_bytes=need_bytes + SPARE)
    return False, dict(seal, free_bytes=free, **paths(shelf, manifest))


def _drop_other_parts(shelf, manifest):
    """Bytes of the archive of this manifest that have arrived; what broke off of any other goes."""
    own, size = paths(shelf, manifest)["archive_path"] + ".part", 0
    for name in os.listdir(shelf):
        path = os.path.join(shelf, name)
        if path == own:
            size = os.lstat(path).st_size
        elif name.endswith(PART):
            remove_file(path)
    return size


def seal_up(shelf, seal):
    """Check both files against the seal, write it last, and drop what it replaces."""
    if not all(_DIGEST.fullmatch(str(seal.get(one, ""))) for one in ("manifest", "archive")):
        raise Trouble("manifest_damaged", "What is to be sealed has no digests.")
    _check_files(shelf, seal)
    write_whole(os.path.join(shelf, "seal"), [json.dumps(seal, sort_keys=True).encode("ascii")])
    keep = {"seal", *_names(seal)}
    for name in os.listdir(shelf):
        if name not in keep:
            remove_file(os.path.join(shelf, name))
    return True, seal


def paths(shelf, manifest):
    """Where archive and manifest of this digest lie."""
    tar, listed = (os.path.join(shelf, name) for name in _names({"manifest": manifest}))
    return {"archive_path": tar, "manifest_path": listed}


def _names(seal):
    return "{}.tar".format(seal["manifest"][:16]), "{}.manifest".format(seal["manifest"][:16])


def _check_files(shelf, seal):
    for name, wanted in zip(_names(seal), (seal["archive"], seal["manifest"])):  # noqa: B905 (Python 3.9)
        try:
            found = digest_of_file(os.path.join(shelf, name))
        except FileNotFoundError:
            raise Trouble("archive_damaged", name + " is missing in the vault.") from None
        if found != wanted:
            raise Trouble("archive_damaged", name + " in the vault is not what was saved.")


def read(shelf, whole=False):
    """The seal; the sealed files are read and compared with it when they must be whole."""
    seal = read_seal(shelf)
    if not seal["manifest"]:
        raise Trouble("archive_missing", "The vault holds nothing for this asset.")
    if whole:
        _check_files(shelf, seal)
    return False, dict(seal, **paths(shelf, seal["manifest"]))


def clear(shelf):
    """Remove the shelf with all that lies on it."""
    names = sorted(os.listdir(shelf), key=lambda one: one != "seal")  # the seal first
    for name in names:
        remove_file(os.path.join(shelf, name))
    os.rmdir(shelf)
    return True, {"removed": len(names)}


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "asset": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["ready", "read", "sealed", "checked", "absent"], "required": True},
            "shelves": {"type": "str", "default": "/srv/kahn-vault"},
            "need_bytes": {"type": "int", "default": 0},
            "manifest": {"type": "str", "default": ""},
            "seal": {"type": "dict", "default": {}},
        }
    )
    asked = module.params

    def act():
        shelf = store_of(asked["asset"], asked["shelves"])
        acts = {
            "ready": lambda: ready(shelf, asked["need_bytes"], asked["manifest"]),
            "read": lambda: read(shelf),
            "sealed": lambda: seal_up(shelf, asked["seal"]),
            "checked": lambda: read(shelf, whole=True),
            "absent": lambda: clear(shelf),
        }
        changed, kahn = acts[asked["state"]]()
        return changed, dict(kahn, shelf=shelf)

    conclude(module, act, working_for=asked["asset"])


if __name__ == "__main__":
    main()
