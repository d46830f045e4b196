"""The table ``[compare]`` of a policy file: what may differ between a machine before and its successor afterwards."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from orchestrator.core.likeness import SECTIONS, Tolerances
from orchestrator.core.policy_entry import Entry, known_keys, texts, whole

LONGEST = 200


def read_tolerances(entry: Entry, zone: ZoneInfo) -> Tolerances:
    """The table. Raises PolicyFileWrong."""
    known_keys(entry, ("ignore", "other_names", "rows_percent", "slower_ms", "full_percent", "leave_out"))
    usual = Tolerances()
    for pattern in texts(entry.at("ignore")):
        check_pattern(entry.at("ignore"), pattern)
    for section in texts(entry.at("leave_out")):
        if section not in SECTIONS:
            entry.at("leave_out").wrong(f"there is no section {section!r}; known are {', '.join(SECTIONS)}")
    return Tolerances(
        ignore=texts(entry.at("ignore")),
        other_names=_other_names(entry.at("other_names")),
        rows_percent=whole(entry.at("rows_percent"), low=0, high=100, missing=usual.rows_percent),
        slower_ms=whole(entry.at("slower_ms"), low=0, high=600_000, missing=usual.slower_ms),
        full_percent=whole(entry.at("full_percent"), low=1, high=100, missing=usual.full_percent),
        leave_out=texts(entry.at("leave_out")),
    )


def wrong_pattern(pattern: str) -> str:
    """Why the pattern cannot be one; empty when it can."""
    section, colon, rest = pattern.partition(": ")
    if len(pattern) > LONGEST or not pattern.isprintable():
        return f"one line of at most {LONGEST} printable characters is wanted"
    if not colon or not rest.strip() or section not in SECTIONS:
        return f"{pattern!r} does not begin with a section such as `services: `; known are {', '.join(SECTIONS)}"
    return ""


def check_pattern(entry: Entry, pattern: str) -> None:
    """Refuse what cannot be a pattern of entries. Raises PolicyFileWrong."""
    why = wrong_pattern(pattern)
    if why:
        entry.wrong(why)


def _other_names(entry: Entry) -> tuple[tuple[str, str], ...]:
    """A table of entry before = entry now, in one section."""
    if entry.value is None:
        return ()
    if not isinstance(entry.value, dict):
        entry.wrong("a table is wanted here")
    for old, new in entry.value.items():
        check_pattern(entry.at(old), old)
        if not isinstance(new, str):
            entry.at(old).wrong("a text is wanted")
        check_pattern(entry.at(old), new)
        if old.partition(": ")[0] != new.partition(": ")[0]:
            entry.at(old).wrong("both must be of one section")
    return tuple(sorted(entry.value.items()))


COMPARE_EXAMPLE = """
# What may differ between a machine before and its successor afterwards (docs/before-and-after.md). Sections: ports,
# services, certificates, shares, printers, jobs, mounts, rows, answer.
[compare]
ignore = []                            # such as ["services: apt-*", "mounts: * = vfat*"]
rows_percent = 5                       # by so many percent a table may have fewer rows
slower_ms = 2000                       # by so much later an answer may come
full_percent = 90                      # from here on a disk counts as too full
leave_out = []                         # sections that are not compared
# other_names = { "services: mysql.service" = "services: mariadb.service" }
"""
