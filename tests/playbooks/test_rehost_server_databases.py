"""rehost-server as a whole wave from the command line: real databases with a writer, jobs, a mirror, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.playbooks.real_servers import JOBS, UNITS, WORDS, Writer, a_server_town, asked
from tests.playbooks.test_rehost_server import LEFT
from tests.scenarios.outside import differences, walked
from tests.scenarios.story import ENGINEER, Story, wait_until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
WRITTEN = "select n from zahlung where n > 0 order by n"
SEEDED = "select count(distinct n), min(n), max(n) from zahlung where n < 0"
OF_PACKAGES = (
    "mtime_ns *", "new /etc/mysql", "new /etc/mysql/debian.cnf", "new /etc/postgresql", "new /usr/share/man/man[137]",
    "* /var/lib/ucf*", "* /etc/ld.so.conf*", "* /var/lib/private*", "* /var/mail", "* /var/spool*",
)  # fmt: skip
"""What Debian's own purge of the databases leaves behind: times of folders, empty ones, a file without a secret."""


def rows(story: Story, name: str, kind: str) -> list[int]:
    return [int(one) for one in asked(story.host(name), kind, WRITTEN).split()]


def stand(story: Story, name: str) -> dict[str, str]:
    """How each unit stands on that host."""
    verbs = "for one in {}; do echo $one $(systemctl is-active $one) $(systemctl is-enabled $one 2>/dev/null); done"
    told = story.host(name).run("sh", "-c", verbs.format(" ".join(UNITS)))
    return {line.split()[0]: " ".join(line.split()[1:]) for line in told.splitlines()}


def jobs_run(story: Story, name: str) -> None:
    """Jobs of cron, of a user and of the system, and a timer write their lines again, on that host."""
    folder = story.host(name).root / "srv/kasse"
    for one in JOBS:
        (folder / one).unlink(missing_ok=True)
    wait_until(lambda: all((folder / one).exists() for one in JOBS), within_s=300, every_s=1)


def signed(story: Story, work: str, *words: str) -> None:
    """The wave runs or goes back until a person can sign, and then to its end."""
    running = story.begin("wave", *words)

    def has_signed() -> bool:
        assert running.poll() is None, "it ended before anybody was asked"
        return story.tried("wave", "done", "W01", work, "alt-1", "--yes", person=ENGINEER).code == 0

    wait_until(has_signed, within_s=1500, every_s=5)
    running.wait(timeout=900)


def test_a_server_with_databases_moves_through_an_approved_wave_and_comes_back(lab: Lab, tmp_path: Path) -> None:
    story = a_server_town(tmp_path / "ort", lab, tenant="dienst")
    old, new = story.host("alt-1"), story.host("rz-1")
    before, stood = walked(new.root), stand(story, "alt-1")
    jobs_run(story, "alt-1")
    writers = {kind: Writer(old, kind) for kind in WORDS}
    signed(story, "lead-there", "run", "W01")
    assert story.states() == {"alt-1": ("moved", "")}
    told = {kind: writer.ended() for kind, writer in writers.items()}
    for kind, acknowledged in told.items():
        arrived = rows(story, "rz-1", kind)
        # One more may have been written whose answer never came; none twice, and none of those told is missing.
        assert len(acknowledged) > 20 and arrived in (acknowledged, [*acknowledged, len(acknowledged) + 1]), kind
        assert asked(new, kind, SEEDED).replace("|", " ").split() == ["2000", "-2000", "-1"]
    assert stand(story, "rz-1") == stood
    assert {one.split()[0] for one in stand(story, "alt-1").values()} == {"inactive"}
    jobs_run(story, "rz-1")
    assert new.address in (new.root / "etc/postgresql/15/main/conf.d/stadt.conf").read_text()
    page = tmp_path / "report.html"
    story.kahn("report", "make", "management", "-o", str(page))
    assert "1 of 1 machines are moved; nothing waits for a person." in page.read_text()

    for kind in WORDS:
        asked(new, kind, "insert into zahlung(n) values (900000)")
    there = {kind: rows(story, "rz-1", kind) for kind in WORDS}
    signed(story, "undo:lead-there", "rollback", "W01", "--yes", "--reason", "Probe", "--as", ENGINEER,
           "--key", str(story.place / "people" / ENGINEER))  # fmt: skip
    assert story.states() == {"alt-1": ("rolled_back", "asked")}
    assert {kind: rows(story, "alt-1", kind) for kind in WORDS} == there and stand(story, "alt-1") == stood
    jobs_run(story, "alt-1")
    assert differences(before, walked(new.root), allowed=(*LEFT, *OF_PACKAGES)) == []
