"""A state directory with one tenant, two people with real keys, an access profile and an estate: ready to plan."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, time
from pathlib import Path

from inventory.changes import Appeared, ChangeSet
from inventory.model import Asset, Snapshot
from orchestrator.adapters.public_keys import read_public_key
from orchestrator.cli.context import Context
from orchestrator.core.access import AccessProfile
from orchestrator.core.policy import Policy, Weekday, WeeklyWindow
from orchestrator.settings import CONFIG_NAME, example_config
from tests.estates import TENANT, a_policy, an_estate
from tests.fresh_stores import fresh_store, key_pair

PEOPLE = ("anna", "bert")
AROUND_THE_CLOCK = WeeklyWindow(days=tuple(Weekday), opens=time(0), closes=time(0))


def a_home(directory: Path, *, estate: Snapshot | None = None, policy: Policy | None = None) -> Context:
    """A Context on a fresh state directory; keys lie beside it as ``anna`` and ``bert``."""
    home = directory / "home"
    home.mkdir()
    (home / CONFIG_NAME).write_text(example_config())
    context = Context(home=home, tenant_name=TENANT, plain=True, yes=True)
    with closing(fresh_store(home / "kahn.sqlite")) as store, store.transaction() as books:
        books.tenants.add(TENANT, policy=policy or a_policy(weekly=(AROUND_THE_CLOCK,), holidays=""))
        books.tenants.put_access(TENANT, AccessProfile(name="lab", user="root", key_file="/nowhere"))
        for name in PEOPLE:
            books.people.add(TENANT, name=name, public_key=_a_key(directory / name))
        books.assets.apply(_appearing(estate or an_estate(5)))
    return context


def _a_key(path: Path) -> str:
    return read_public_key(key_pair(path, path.name).with_suffix(".pub"))


def _appearing(estate: Snapshot) -> ChangeSet:
    appeared = tuple(Appeared(asset=one, source="test") for one in estate.assets)
    return ChangeSet(tenant=estate.tenant, appeared=appeared, dependencies=estate.dependencies)


def add_assets(context: Context, *assets: Asset) -> None:
    """More assets, as a later import would bring them."""
    with context.world.transaction() as books:
        books.assets.apply(ChangeSet(tenant=TENANT, appeared=tuple(Appeared(asset=a, source="test") for a in assets)))


def moment() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
