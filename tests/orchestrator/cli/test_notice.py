"""``kahn notice``: who is called, what became of it, and who has taken it on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.actions.call_people import UnknownContact, UnknownNotice
from orchestrator.adapters.away_file import AwayFile
from orchestrator.adapters.notice_secret import NotDelivered
from orchestrator.cli.calling import calling
from orchestrator.cli.context import Context, NoPerson
from orchestrator.cli.notice import app
from orchestrator.cli.status import status
from orchestrator.core.alarms import SOON
from orchestrator.core.contacts_file import ContactsFileWrong
from orchestrator.core.lifecycle import WaveEvent
from orchestrator.core.refusals import StoreUnavailable, UnknownPerson
from orchestrator.core.store_away import Away
from orchestrator.settings import CONFIG_NAME, CONTACTS_NAME
from tests.known_town import call, document
from tests.orchestrator.actions.test_call_people import hold
from tests.orchestrator.cli.lone import command_app
from tests.town_terminals import a_terminal

FILE = """\
[[channel]]
name = "page"
kind = "command"
argv = ["{program}", "{{to}}"]

[[contact]]
tenant = "stadt"
name = "wache"
channel = "page"
to = "4711"
language = "de"
"""


def a_desk(folder: Path, *, script: str = "cat >> {folder}/got", stage: str = "started") -> Context:
    """A held wave, and a program that pages into the file ``got``."""
    context, town = a_terminal(folder, stage)
    a_pager(folder, script)
    if stage == "started":
        hold(town, WaveEvent.HOLD)
    return context


def a_pager(folder: Path, script: str = "cat >> {folder}/got") -> None:
    """A program that pages, and the file that names it."""
    program = folder / "page"
    program.write_text(f"#!/bin/sh\n{script.format(folder=folder)}\n")
    program.chmod(0o755)
    (folder / CONTACTS_NAME).write_text(FILE.format(program=program))


def make_calls(context: Context) -> None:
    with calling(context.world, tell=lambda _error: None):
        pass


def the_notice(context: Context) -> str:
    (found,) = document(app, context, "list")
    return str(found["id"])


def test_a_trial_reaches_the_contact_in_their_language(tmp_path: Path) -> None:
    output = call(app, a_desk(tmp_path), "test", "wache").output
    assert "Delivered to wache by page" in output
    assert "dies ist eine Probe" in (tmp_path / "got").read_text()


def test_a_trial_that_fails_says_why_and_one_for_a_stranger_is_refused(tmp_path: Path) -> None:
    context = a_desk(tmp_path, script="exit 9")
    with pytest.raises(NotDelivered, match="ended with 9"):
        call(app, context, "test", "wache")
    with pytest.raises(UnknownContact):
        call(app, context, "test", "nobody")


def test_who_drives_calls_and_the_list_shows_it_until_somebody_takes_it_on(tmp_path: Path) -> None:
    context = a_desk(tmp_path)
    assert "nobody yet" in call(app, context, "list").output
    make_calls(context)
    assert "W01 ist ANGEHALTEN" in (tmp_path / "got").read_text()
    assert "wache: delivered" in call(app, context, "list").output
    assert "Acknowledged" in call(app, context, "ack", the_notice(context), "--as", "bert").output
    assert call(app, context, "list").output.strip() == "No notice is open."
    (closed,) = document(app, context, "list", "--all")
    assert closed["notice"]["closed_by"].startswith("p-")


def test_an_acknowledgement_needs_somebody_who_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAHN_PERSON", raising=False)
    context = a_desk(tmp_path)
    with pytest.raises(NoPerson):
        call(app, context, "ack", the_notice(context))
    with pytest.raises(UnknownPerson):
        call(app, context, "ack", the_notice(context), "--as", "mallory")
    with pytest.raises(UnknownNotice):
        call(app, context, "ack", "stadt-4711", "--as", "bert")


def test_the_status_page_says_whom_nobody_could_reach(tmp_path: Path) -> None:
    context = a_desk(tmp_path, script="echo modem busy >&2; exit 1")
    make_calls(context)
    output = call(command_app(status), context).output
    assert "wache: NOT delivered after 1 tries: the command ended with 1 modem busy" in output
    (found,) = document(command_app(status), context)
    assert found["notices"][0]["calls"][0]["tries"] == 1


def test_a_tenant_without_contacts_is_told_so_where_people_look(tmp_path: Path) -> None:
    context = a_desk(tmp_path)
    (tmp_path / CONTACTS_NAME).unlink()
    for output in (call(command_app(status), context).output, call(app, context, "contacts").output):
        assert "Nobody is called for stadt" in output


def test_contacts_are_listed_and_a_broken_file_names_its_place(tmp_path: Path) -> None:
    context = a_desk(tmp_path)
    assert "4711" in call(app, context, "contacts").output
    (tmp_path / CONTACTS_NAME).write_text('[[channel]]\nname = "x"\nkind = "fax"\n')
    with pytest.raises(ContactsFileWrong, match=r"channel\[1\].kind"):
        call(app, context, "contacts")


def test_the_example_can_be_kept_as_it_is(tmp_path: Path) -> None:
    context = a_desk(tmp_path)
    (tmp_path / CONTACTS_NAME).write_text(document(app, context, "example")["notices.toml"])
    assert "bereitschaft" in call(app, context, "contacts").output


def test_people_are_called_because_nobody_drives_once_for_each_driver_that_went(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path, "started")
    a_pager(tmp_path)
    first = call(app, context, "send", "--patience", "0")
    assert first.exit_code == 4 and "Nobody drives stadt W01" in first.output
    got = (tmp_path / "got").read_text()
    assert "NIEMAND STEUERT" in got and "kahn notice ack" in got
    assert call(app, context, "send", "--patience", "0").exit_code == 4
    assert (tmp_path / "got").read_text() == got, "nobody is called twice for the same"
    call(app, context, "ack", the_notice(context), "--as", "bert")
    assert call(app, context, "send", "--patience", "0").exit_code == 4
    assert document(app, context, "list") == []
    with context.world.store.transaction() as books:
        books.raise_epoch()  # a driver came and went again
    assert call(app, context, "send", "--patience", "0").exit_code == 4
    assert len(document(app, context, "list")) == 1
    with context.world.store.seat() as mine:
        assert mine
        done = call(app, context, "send", "--patience", "0")
        assert done.exit_code == 0 and "Somebody drives" in done.output
        make_calls(context)
    assert document(app, context, "list") == [], "it is over when somebody drives"


def test_nobody_is_woken_where_no_wave_needs_a_driver(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    a_pager(tmp_path)
    town.clock.moment = town.wave()[0].content.window.opens - SOON - timedelta(seconds=1)
    calm = call(app, context, "send", "--patience", "0")
    assert calm.exit_code == 0 and "no wave needs it now" in calm.output
    town.clock.moment += timedelta(seconds=1)
    assert call(app, context, "send", "--patience", "0").exit_code == 4, "there is an hour left to start the service"
    town.clock.moment = town.wave()[0].content.window.closes
    assert call(app, context, "send", "--patience", "0").exit_code == 0


def test_calls_that_are_due_are_made_although_nobody_drives(tmp_path: Path) -> None:
    context = a_desk(tmp_path)
    assert call(app, context, "send", "--patience", "0").exit_code == 0, "a held wave needs a person, no driver"
    assert "W01 ist ANGEHALTEN" in (tmp_path / "got").read_text()


def test_a_timer_calls_people_when_the_database_itself_is_away_and_once_only(tmp_path: Path) -> None:
    """The second look comes a minute after the first; every look is a program of its own."""
    a_pager(tmp_path)
    (tmp_path / CONFIG_NAME).write_text('database = "postgresql+psycopg://kahn@127.0.0.1:1/none"\n')
    words = ("send", "--patience", "0")
    with pytest.raises(StoreUnavailable):
        call(app, Context(home=tmp_path), *words)
    assert not (tmp_path / "got").exists()
    memory = AwayFile(tmp_path)
    known = memory.recall()
    assert known is not None and known.calls == ()
    memory.keep(Away(since=known.since - timedelta(minutes=2)))
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            call(app, Context(home=tmp_path), *words)
    told = (tmp_path / "got").read_text()
    assert told.count("kahn doctor") == 1
