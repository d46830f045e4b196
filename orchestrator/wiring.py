"""The only place that names adapters: puts a working world together from settings."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from inventory.errors import ExpectedError
from inventory.model import AssetId
from inventory.sources.netbox_http import NetboxServer
from orchestrator.actions.desk import Desk, Outside
from orchestrator.actions.store_watch import StoreWatch
from orchestrator.actions.switchboard import Switchboard
from orchestrator.adapters.adopt import AdoptedRunbook, Wish, adopt, parsed_wish
from orchestrator.adapters.away_file import AwayFile
from orchestrator.adapters.backup import make_backup, restore_backup
from orchestrator.adapters.backup_file import read_manifest
from orchestrator.adapters.calm_planner import CalmPlanner
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.clock_memory import ClockMemory
from orchestrator.adapters.contacts import LiveContacts
from orchestrator.adapters.cpsat import CpSatSolver
from orchestrator.adapters.estate_files import estate_places, keep_proofs
from orchestrator.adapters.free_room import database_folder, free_gib
from orchestrator.adapters.joined_runbook import join_runbooks
from orchestrator.adapters.key_files import key_trouble
from orchestrator.adapters.netbox_out import FieldsMissing, missing_fields, prepare, pull_from, push
from orchestrator.adapters.plan_chart import chart_svg
from orchestrator.adapters.plan_file import put_file, read_plan_file, write_plan_file
from orchestrator.adapters.retiring import check_retiring
from orchestrator.adapters.runbook_trees import freeze_runbook, tree_is_there
from orchestrator.adapters.runbooks import SHIPPED, find_runbook, known_runbooks, load_runbook
from orchestrator.adapters.runs import AnsibleRuns
from orchestrator.adapters.signatures import SshSignatures, read_public_key
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.access import AccessProfile
from orchestrator.core.asks import Asks, asks_of
from orchestrator.core.constraints import Level
from orchestrator.core.contacts_file import ContactsFile
from orchestrator.core.discovery import FactsAnswer
from orchestrator.core.freeze import NotByHand
from orchestrator.core.host_keys import Door, KeyAnswer
from orchestrator.core.netbox import NetboxAccess
from orchestrator.core.plan import Planner
from orchestrator.core.planner.stepwise import StepwisePlanner
from orchestrator.core.policy import Policy
from orchestrator.core.report import ManagementReport
from orchestrator.core.runbook import Runbook
from orchestrator.core.surroundings import Room
from orchestrator.core.wave import WaveContent
from orchestrator.core.wave_calendar import CalendarEntry, TaskEntry
from orchestrator.ports import Books, Clock, SignatureCheck, Store
from orchestrator.run_ports import HostLook, PlaybookRunner
from orchestrator.settings import CONFIG_NAME, Settings, read_contacts_file, read_secret, read_settings
from orchestrator.texts import _

if TYPE_CHECKING:
    from orchestrator.adapters.channels import Channels
    from orchestrator.adapters.credentials import Credential

__all__ = [
    "INVENTORY_PLUGINS",
    "FieldsMissing",
    "NetboxServer",
    "Wish",
    "World",
    "chart_svg",
    "plan_calendar",
    "put_file",
    "adopt_playbook",
    "estate_places",
    "find_runbook",
    "join_runbooks",
    "keep_proofs",
    "known_runbooks",
    "load_runbook",
    "make_backup",
    "management_page",
    "missing_fields",
    "netbox_server",
    "open_world",
    "parsed_wish",
    "prepare",
    "prepare_store",
    "pull_from",
    "push",
    "read_credentials",
    "read_facts",
    "read_host_keys",
    "read_manifest",
    "read_plan_file",
    "read_public_key",
    "rehearsal_home",
    "restore_backup",
    "sheet_bytes",
    "store_watch",
    "write_plan_file",
]

INVENTORY_PLUGINS = SHIPPED / "plugins" / "inventory"
"""Where Ansible finds the plugin that reads Kahn's inventory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything outside, behind its ports."""

    settings: Settings
    store: Store
    runs: PlaybookRunner
    clock: Clock
    signatures: SignatureCheck
    planner: Planner
    clock_memory: ClockMemory
    """What the clocks showed when somebody drove last from this state directory."""
    key_trouble: Callable[[AccessProfile], str] = key_trouble

    def transaction(self) -> AbstractContextManager[Books]:
        """One transaction over everything that is stored."""
        return self.store.transaction()

    def outside(self, *, tell: Callable[[ExpectedError], None]) -> Outside:
        """The ports as actions want them; ``tell`` hears of troubles that do not stop a driver."""
        return Outside(
            store=self.store,
            runs=self.runs,
            clock=self.clock,
            signatures=self.signatures,
            tree_there=self.tree_there,
            tell=tell,
            rooms=self.rooms,
            key_trouble=self.key_trouble,
            hosts=begin_look if self.settings.looks_at_hosts and self._reaches_machines() else None,
        )

    def _reaches_machines(self) -> bool:
        """Whether runs touch anything outside: simulated machines have no address that answers."""
        from orchestrator.lab.stand_in import is_stand_in  # the lab: a world without machines is one of it

        return isinstance(self.runs, AnsibleRuns) and not is_stand_in(self.settings.ansible_playbook)

    def desk(self) -> AbstractContextManager[Desk]:
        """One transaction to act in."""
        return self.outside(tell=_nothing).desk()

    def look(self) -> AbstractContextManager[Desk]:
        """One consistent view to look at."""
        return self.outside(tell=_nothing).look()

    def contacts(self) -> ContactsFile:
        """Whom to call and how, as the file says now. Raises ContactsFileWrong."""
        return read_contacts_file(self.settings.home)

    def channels(self) -> Channels:
        """The channels of that file. Raises ContactsFileWrong."""
        from orchestrator.adapters.channels import Channels  # requests and smtplib: only who calls people needs them

        known = self.contacts().channels
        return Channels(lambda: known, home=self.settings.home, clock=self.clock)

    def switchboard(self, *, tell: Callable[[ExpectedError], None]) -> Switchboard:
        """Makes the calls of this store. A mistake in the file is told and stops neither calls nor waves."""
        from orchestrator.adapters.channels import Channels  # as above

        contacts = LiveContacts(self.contacts, tell=tell)
        channels = Channels(contacts.channels, home=self.settings.home, clock=self.clock)
        watch = store_watch(self.settings, clock=self.clock, tell=tell)
        return Switchboard(outside=self.outside(tell=tell), channels=channels, contacts_of=contacts.of, watch=watch)

    def new_asset_id(self) -> AssetId:
        """A fresh id for an asset."""
        return AssetId(self.clock.new_id())

    @property
    def trees(self) -> Path:
        """Where approved runbook trees are kept."""
        return self.settings.home / "trees"

    def runbook(self, name: str) -> Runbook:
        """The runbook of that name, loaded and checked. Raises RunbookUnknown, RunbookInvalid."""
        return load_runbook(find_runbook(name, state_dir=self.settings.home))

    def asks(self, policy: Policy) -> tuple[Asks, ...]:
        """What the runbooks of a policy ask of the inventory; one that cannot be used says why."""
        by_hand = frozenset(policy.by_hand.values())
        names = sorted(by_hand.union(policy.runbooks.values(), policy.by_psrp.values(), policy.retire.values()))
        return tuple(self._asks(name, by_hand=name in by_hand) for name in names)

    def check_retiring(self, policy: Policy) -> None:
        """That machines are retired by runbooks for it. Raises RunbookUnknown, RunbookInvalid, DoesNotRetire."""
        check_retiring(policy, state_dir=self.settings.home)

    def _asks(self, name: str, *, by_hand: bool) -> Asks:
        try:
            found = asks_of(self.runbook(name))
        except ExpectedError as error:
            return Asks(runbook=name, fault=str(error))
        if by_hand and found.reached:
            return replace(found, fault=str(NotByHand(runbook=name)))
        return found

    def freeze(self, runbook: Runbook) -> None:
        """Keep the runbook's tree as it was proposed. Raises RunbookChanged, TreeDamaged."""
        folder = find_runbook(runbook.name, state_dir=self.settings.home)
        freeze_runbook(runbook, folder, self.trees, shared=SHIPPED)

    def tree_there(self, runbook: Runbook) -> bool:
        """Whether the approved tree is kept and unchanged."""
        return tree_is_there(runbook, self.trees)

    def rooms(self) -> tuple[Room, ...]:
        """How much is free where Kahn writes: its state directory, and where the database is a file, beside that."""
        places = {"state": self.settings.home}
        folder = database_folder(self.settings.database_url)
        if folder is not None:
            places["database"] = folder
        return tuple(Room(where=where, free_gib=free_gib(place)) for where, place in places.items())

    def ansible_core(self) -> str:
        """Version of ansible-core that runs will use."""
        return version("ansible-core")


def _nothing(_error: ExpectedError) -> None:
    """A single command has nobody to tell."""


def store_watch(settings: Settings, *, tell: Callable[[ExpectedError], None], clock: Clock | None = None) -> StoreWatch:
    """Calls people about a store that is away; needs the state directory and its notices.toml only."""
    from orchestrator.adapters.channels import Channels  # requests and smtplib: only who calls people needs them

    contacts = LiveContacts(lambda: read_contacts_file(settings.home), tell=tell)
    now = clock or SystemClock()
    channels = Channels(contacts.channels, home=settings.home, clock=now)
    memory = AwayFile(settings.home)
    return StoreWatch(clock=now, channels=channels, everyone=lambda: contacts.now().contacts, memory=memory)


def adopt_playbook(wish: Wish, *, state_dir: Path, name: str) -> AdoptedRunbook:
    """Take a playbook in among the runbooks of a state directory. Raises CannotAdopt, RunbookInvalid."""
    return adopt(wish, shelf=state_dir / "runbooks", name=name)


def _tell_progress(level: Level, value: float, bound: float) -> None:
    """One line for somebody who waits at a terminal while a better plan is looked for."""
    if sys.stderr.isatty():
        says = _("  looking for a better plan: {level} {value:,.0f}, no less than {bound:,.0f} can be")
        sys.stderr.write(says.format(level=level.value, value=value, bound=bound) + "\n")


def open_world(settings: Settings) -> World:
    """The world of a state directory that exists. Raises ExpectedError when the database is not ready."""
    clock = SystemClock()
    runs = AnsibleRuns(
        state=settings.home, trees=settings.home / "trees", ansible_playbook=settings.ansible_playbook, clock=clock
    )
    return World(
        settings=settings,
        store=DatabaseStore.open(settings.database_url),
        runs=runs,
        clock=clock,
        signatures=SshSignatures(),
        clock_memory=ClockMemory(settings.home),
        planner=CalmPlanner(StepwisePlanner(CpSatSolver(tell=_tell_progress))),
    )


def rehearsal_home(place: Path, content: WaveContent, *, like: World, program: Path | None) -> Path:
    """A state directory of its own in ``place``, with an empty store and the very runbook tree of the wave.

    ``program`` plays Ansible's part; None for the Ansible of that world. Raises RunbookChanged when the tree is kept
    nowhere and the runbook was edited since, TreeDamaged.
    """
    home, runbook = place / "home", content.runbook
    trees = home / "trees"
    trees.mkdir(mode=0o700, parents=True)
    ansible_playbook = json.dumps(str(program or like.settings.ansible_playbook), ensure_ascii=False)
    looks = "no" if program else "yes"
    config = f'ansible_playbook = {ansible_playbook}\nlook_at_hosts = "{looks}"\n'
    (home / CONFIG_NAME).write_text(config, encoding="utf-8")
    if tree_is_there(runbook, like.trees):
        shutil.copytree(like.trees / runbook.tree, trees / runbook.tree)
    else:
        freeze_runbook(runbook, find_runbook(runbook.name, state_dir=like.settings.home), trees, shared=SHIPPED)
    prepare_store(read_settings(home))
    return home


def prepare_store(settings: Settings) -> None:
    """Create or upgrade the database of a state directory."""
    DatabaseStore.create_or_upgrade(settings.database_url)


def netbox_server(access: NetboxAccess) -> NetboxServer:
    """The tenant's NetBox, with its token read from where it lies. Raises NoSecret."""
    return NetboxServer(access.url, read_secret(access.token_from), ca_file=access.ca_file)


# ------------------------------------------------- adapters whose libraries take long to load, loaded when first called


def read_facts(
    doors: Sequence[Door],
    *,
    at_once: int,
    credentials: Mapping[str, Credential],
    tell: Callable[[FactsAnswer], None] = lambda _answer: None,
) -> tuple[FactsAnswer, ...]:
    """What each machine says of itself, in the order of the doors. Never raises for a door."""
    from orchestrator.adapters import discovery  # paramiko

    return discovery.read_facts(doors, at_once=at_once, credentials=credentials, tell=tell)


def read_credentials(file: Path, *, password_file: Path | None, profiles: Collection[str]) -> Mapping[str, Credential]:
    """Access profile -> credential, out of a file of ansible-vault. Raises CredentialsWrong."""
    from orchestrator.adapters import credentials  # paramiko

    return credentials.read_credentials(file, password_file=password_file, profiles=profiles)


def begin_look(doors: Sequence[Door]) -> HostLook:
    """A look at machines, whether each can work, under way in threads of its own."""
    from orchestrator.adapters import fleet  # paramiko

    return fleet.Look(doors)


def read_host_keys(
    doors: Sequence[Door], *, tell: Callable[[KeyAnswer], None] = lambda _answer: None
) -> tuple[KeyAnswer, ...]:
    """The host key that each machine shows, in the order of the doors. Never raises for a door."""
    from orchestrator.adapters import ssh  # paramiko

    return ssh.read_host_keys(doors, tell=tell)


def management_page(report: ManagementReport) -> str:
    """The management report as an HTML page in the chosen language."""
    from orchestrator.adapters import report_page  # jinja2

    return report_page.management_page(report)


def plan_calendar(
    entries: Iterable[CalendarEntry], *, tenant: str, now: datetime, tasks: Iterable[TaskEntry] = ()
) -> bytes:
    """The waves, and what is due ahead of them, as an iCalendar file; ``now`` is only its time stamp."""
    from orchestrator.adapters import plan_calendar as file  # icalendar

    return file.plan_calendar(entries, tenant=tenant, now=now, tasks=tasks)


def sheet_bytes(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A workbook with one table, as the bytes of its file."""
    from orchestrator.adapters import asset_sheet  # openpyxl, and numpy with it

    return asset_sheet.sheet_bytes(title, columns, rows)
