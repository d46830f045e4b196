"""An upgrade while a wave is under way: an earlier revision's store goes on with this release."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from orchestrator.adapters import migrations
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.adapters.store_copy import copy_rows
from orchestrator.core.refusals import StoreNotReady
from tests.copied_towns import a_town
from tests.towns import STADT, Town


def as_it_was(town: Town, revision: str) -> str:
    """The town's store as an earlier release keeps it: its tables, its columns, the same rows."""
    url = f"sqlite:///{town.folder}/earlier.sqlite"
    old, new = engine_for(parsed(f"sqlite:///{town.folder}/kahn.sqlite")), engine_for(parsed(url), create=True)
    with old.connect() as source, source.begin(), new.connect() as target, target.begin():
        migrations.upgrade(target, to=revision)
        copy_rows(source, target)
    old.dispose()
    new.dispose()
    return url


@pytest.mark.parametrize("revision", ["0003", "0004"])
def test_a_wave_under_way_goes_on_after_the_upgrade_where_it_was(tmp_path: Path, revision: str) -> None:
    town = a_town(tmp_path, "started")
    driver = town.driver()
    for _ in range(3):
        driver.tick()
    before = town.wave()[1]
    assert any(move.begun for move in before.moves.values()), "it is in the middle of its work"
    url = as_it_was(town, revision)
    with pytest.raises(StoreNotReady):
        DatabaseStore.open(url)
    town.store = DatabaseStore.create_or_upgrade(url)
    assert town.wave()[1] == before
    town.drive()
    assert set(town.states().values()) == {"moved"}
    effects = [(asset, direction, step) for asset, direction, step, _attempt in town.runs.ledger]  # type: ignore[attr-defined]
    done = [one for one in effects if one[1] == "do"]
    assert len(done) == len(set(done)), "no step was done twice"
    with town.store.reading() as books:
        assert books.journal.verify(STADT).broken_at == 0


def test_the_revisions_known_by_their_file_names_are_those_that_alembic_knows() -> None:
    config = Config()
    config.set_main_option("script_location", "orchestrator.adapters:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert migrations.newest() == scripts.get_current_head()
    there = {one.revision for one in scripts.walk_revisions()}
    assert len(there) > 5 and all(migrations.known(one) for one in there)
    assert not migrations.known("9999") and not migrations.known("")
