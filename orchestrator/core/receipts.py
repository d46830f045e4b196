"""Claim and receipts on a target, as shell scripts for `raw`: they need no Python there, only sh, flock and coreutils.

In ``/var/lib/kahn/<asset>/receipts/`` lie ``epoch`` (highest claimed), ``begin`` and ``end`` (attempt id on the first
line), and the pairs of earlier attempts as ``past-<attempt>.begin|end``. All changes happen under ``lock``, which a
program may hold while it works there; new contents appear by rename and are synced.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

EPOCH_REFUSED_RC = 75
BEGUN_ELSEWHERE_RC = 76
NO_RECEIPT_RC = 77
RECEIPTS_DIRECTORY = "/var/lib/kahn"

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,80}")
_LOCKED = """\
set -eu
umask 077
PATH=/usr/sbin:/usr/bin:/sbin:/bin
d={directory}
mkdir -p "$d"
exec 9>>"$d/lock"
flock -w 5 9 || {{ echo "another program works on this asset" >&2; exit {busy}; }}
keep() {{ printf '%s\\n' "$2" "$3" > "$d/$1.new" && mv -f "$d/$1.new" "$d/$1"; }}
onto_disk() {{ sync "$@" 2>/dev/null || sync; }}
"""
_CLAIM = """\
stored=$(cat "$d/epoch" 2>/dev/null || echo 0)
case "$stored" in ''|*[!0-9]*) echo "the stored epoch is damaged" >&2; exit {no_receipt};; esac
[ "$stored" -le {epoch} ] || {{ echo "epoch {epoch} is older than $stored" >&2; exit {epoch_refused}; }}
if [ -e "$d/begin" ]; then
  old=$(head -n 1 "$d/begin")
  ended=$(head -n 1 "$d/end" 2>/dev/null || true)
  case "$old" in ''|*[!A-Za-z0-9-]*) echo "the stored receipt is damaged" >&2; exit {no_receipt};; esac
  case " {settled} " in *" $old "*) ended=$old;; esac
  if [ "$old" != "$ended" ] || [ "$old" = {attempt} ]; then
    echo "attempt $old has begun and not ended" >&2; exit {begun}
  fi
  mv -f "$d/begin" "$d/past-$old.begin"
  [ ! -e "$d/end" ] || mv -f "$d/end" "$d/past-$old.end"
fi
printf '%s\\n' {epoch} > "$d/epoch.new" && mv -f "$d/epoch.new" "$d/epoch"
keep begin {attempt} {run}
onto_disk "$d/begin" "$d/epoch" "$d"
"""
_END = """\
[ "$(head -n 1 "$d/begin" 2>/dev/null)" = {attempt} ] || {{ echo "no receipt of this attempt" >&2; exit {no_receipt}; }}
keep end {attempt} {run}
onto_disk "$d/end" "$d"
"""


def claim_script(*, asset: str, attempt: str, run: str, epoch: int, settled: Sequence[str] = ()) -> str:
    """A command that claims the asset on its target: 75 for a lower epoch, 76 if another attempt began and has no end.

    ``settled`` are earlier attempts whose end the books know although no end receipt was written (they failed, or a
    probe cleared them). Raises ValueError for ids that are no plain words.
    """
    body = _CLAIM.format(
        epoch=int(epoch),
        attempt=_word(attempt),
        run=_word(run),
        settled=" ".join(_word(one) for one in settled),
        epoch_refused=EPOCH_REFUSED_RC,
        begun=BEGUN_ELSEWHERE_RC,
        no_receipt=NO_RECEIPT_RC,
    )
    return _command(asset, body)


def end_script(*, asset: str, attempt: str, run: str) -> str:
    """A command that writes the end receipt of the attempt; 77 when the target has no begin receipt of it."""
    return _command(asset, _END.format(attempt=_word(attempt), run=_word(run), no_receipt=NO_RECEIPT_RC))


def _command(asset: str, body: str) -> str:
    """One argument for any login shell: the script itself is read by sh."""
    head = _LOCKED.format(directory=f"{RECEIPTS_DIRECTORY}/{_word(asset)}/receipts", busy=BEGUN_ELSEWHERE_RC)
    return f"/bin/sh -c {shlex.quote(head + body)}"


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no plain word")
    return text
