"""Printers of CUPS as its configuration names them: read, judged, added, taken away. Python 3.9, standard library only.

What comes from an old host is believed no more than any other machine: only known fields and kinds of addresses are
taken, and no driver file that names commands of its own (`foomatic-rip` runs whatever its driver file says).
"""

from __future__ import annotations

import re

try:
    from ansible.module_utils.kahn_outcome import printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import printable

LARGEST_DRIVER = 1024 * 1024
FIELDS = frozenset(
    ("AuthInfoRequired", "Info", "Location", "MakeModel", "DeviceURI", "Type", "Accepting", "Shared", "ColorManaged")
).union(("JobSheets", "QuotaPeriod", "PageLimit", "KLimit", "OpPolicy", "ErrorPolicy", "Option"))
SCHEMES = frozenset(("ipp", "ipps", "http", "https", "socket", "lpd", "smb", "dnssd", "usb"))
_BEGIN = re.compile(r"<(Default)?Printer ([^\s/#<>.-][^\s/#<>]{0,126})>")
_END = re.compile(r"</(Default)?Printer>")
_URI = re.compile(r"([a-z]{2,8}):[!-~]{1,1000}")
_COMMANDS = re.compile(r"\*(Foomatic|cupsPreFilter|cupsPortMonitor|APDialogExtension|cupsCommands)", re.IGNORECASE)
_FILTER = re.compile(
    r'\*cupsFilter2?:\s*"[^"\s]+(?:\s+[^"\s]+)?\s+[0-9]+\s+(?:maxsize\([0-9]+\)\s+)?([^"]+)"', re.IGNORECASE
)


def blocks(text):
    """[(name, is the default, lines)] of printers.conf, in order."""
    found, name, default, lines = [], "", False, []
    for line in text.splitlines():
        begins = _BEGIN.fullmatch(line.strip())
        if begins:
            name, default, lines = begins[2], bool(begins[1]), []
        elif _END.fullmatch(line.strip()):
            if name:
                found.append((name, default, lines))
            name = ""
        elif name:
            lines.append(line.strip())
    return found


def read(text, driver_of):
    """(printers, what is not taken over) of printers.conf; `driver_of` gives a printer's driver file or None."""
    taken, left = [], []
    for name, default, lines in blocks(text):
        driver = driver_of(name)
        one = {"name": name, "default": default, "lines": _known(lines), "driver": driver}
        why = wrong(one)
        if why:
            left.append(printable(f"printer {name}: {why}"))
        else:
            taken.append(one)
    return taken, left


def _known(lines):
    return [line for line in lines if line.split(" ", 1)[0] in FIELDS]


def wrong(one):
    """Why this printer is not taken over, or nothing. Raises KeyError, TypeError, ValueError for what is no printer."""
    name, lines, driver = one["name"], one["lines"], one["driver"]
    if not _BEGIN.fullmatch(f"<Printer {name}>") or not name.isprintable():
        return "its name is not usable"
    if any(line.split(" ", 1)[0] not in FIELDS or not line.isprintable() or len(line) > 2000 for line in lines):
        return "its entry is not usable"
    addresses = [line.split(" ", 1)[1] for line in lines if line.startswith("DeviceURI ")]
    found = _URI.fullmatch(addresses[0]) if len(addresses) == 1 else None
    if not found or found[1] not in SCHEMES:
        return "its address is of a kind that is not taken over"
    return wrong_driver(driver) if driver is not None else ""


def wrong_driver(text):
    """Why a driver file (PPD) is not taken over, or nothing."""
    if len(text) > LARGEST_DRIVER or "\0" in text or not text.startswith("*PPD-Adobe"):
        return "its driver file is not usable"
    for line in text.splitlines():
        if _COMMANDS.match(line):
            return "its driver file names commands to run"
        if line.lower().startswith("*cupsfilter") and not _filter(line):
            return "its driver file names a filter by its path"
    return ""


def _filter(line):
    """The program that a filter line names, or nothing when it could be any."""
    found = _FILTER.match(line)
    return found[1].strip() if found and re.fullmatch(r"-|[A-Za-z0-9_][A-Za-z0-9_.+-]*", found[1].strip()) else ""


def filters(text):
    """Names of the filter programs that a driver file needs."""
    found = (_filter(line) for line in text.splitlines() if line.lower().startswith("*cupsfilter"))
    return sorted({one for one in found if one and one != "-"})


def added(text, printers):
    """printers.conf with these printers behind those it has; a default stays the default."""
    has_default = any(default for _, default, _ in blocks(text))
    pieces = [text] if not text or text.endswith("\n") else [text, "\n"]
    for one in printers:
        kind = "DefaultPrinter" if one["default"] and not has_default else "Printer"
        has_default = has_default or one["default"]
        pieces.append("<{} {}>\n{}\nState Idle\n</{}>\n".format(kind, one["name"], "\n".join(one["lines"]), kind))
    return "".join(pieces)


def without(text, names):
    """printers.conf without the printers of these names."""
    kept, skipping = [], False
    for line in text.splitlines(keepends=True):
        begins = _BEGIN.fullmatch(line.strip())
        skipping = begins[2] in names if begins else skipping
        if not skipping:
            kept.append(line)
        if _END.fullmatch(line.strip()):
            skipping = False
    return "".join(kept)
