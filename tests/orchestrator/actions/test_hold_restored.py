"""A store that was restored from a backup is noticed, and nothing goes on by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from orchestrator.actions.hold_restored import WentBack, hold_restored, went_back
from orchestrator.adapters.store import DatabaseStore
from orchestrator.cli.drive import sit_down
from orchestrator.core.refusals import StoreWentBack
from orchestrator.core.wave import RunId
from orchestrator.settings import CONFIG_NAME, example_config
from tests.copied_towns import a_town
from tests.simulated_runs import SimulatedRuns
from tests.town_terminals import sitting_down
from tests.towns import STADT, Town


def seen(town: Town) -> WentBack:
    with town.store.reading() as books:
        return went_back(books, town.runs)


def back_to(town: Town, kept: Path) -> None:
    """Put the older database in the place of the present one, as somebody with a backup would."""
    town.store.close()  # type: ignore[attr-defined]
    for name in ("kahn.sqlite-wal", "kahn.sqlite-shm"):
        (town.folder / name).unlink(missing_ok=True)
    shutil.copy(kept, town.folder / "kahn.sqlite")
    town.store = DatabaseStore.open(f"sqlite:///{town.folder}/kahn.sqlite")


def a_town_gone_back(folder: Path, stage: str) -> tuple[Town, list[ExpectedError]]:
    """Kept at a stage, driven to its end, then restored; and what the next driver said when it sat down."""
    town = a_town(folder / "t", stage)
    told: list[ExpectedError] = []
    town.store.close()  # type: ignore[attr-defined]
    shutil.copy(folder / "t" / "kahn.sqlite", folder / "kept")
    if stage != "started":
        town.start()
    town.drive()
    back_to(town, folder / "kept")
    (folder / "t" / CONFIG_NAME).write_text(example_config())
    sit_down(sitting_down(town).world, tell=told.append)
    return town, told


def test_a_wave_under_way_is_held_with_its_reason_and_somebody_is_called(tmp_path: Path) -> None:
    town, told = a_town_gone_back(tmp_path, "started")
    wave, _progress = town.wave()
    assert (wave.state.value, wave.cause) == ("held", "store_restored")
    assert [error.code for error in told] == ["RUN-033"]
    with town.store.reading() as books:
        assert [notice.cause for notice in books.notices.open()] == ["store_restored"]
        assert books.journal.verify(STADT).broken_at == 0


def test_a_wave_that_may_have_run_already_must_be_approved_again(tmp_path: Path) -> None:
    town, _told = a_town_gone_back(tmp_path, "approved")
    assert town.wave()[0].state.value == "proposed"


def test_it_is_noticed_once_and_then_a_person_decides(tmp_path: Path) -> None:
    town, _told = a_town_gone_back(tmp_path, "started")
    assert not seen(town).is_so
    again: list[ExpectedError] = []
    sit_down(sitting_down(town).world, tell=again.append)
    assert again == []


def test_a_lower_epoch_alone_tells_it(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    town.driver()
    assert not seen(town).is_so
    assert isinstance(town.runs, SimulatedRuns)
    town.runs.known_epoch = 7
    assert seen(town) == WentBack(epoch_of_store=1, epoch_here=7)


def test_a_run_that_the_store_never_intended_alone_tells_it(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    assert isinstance(town.runs, SimulatedRuns)
    town.runs.spools[RunId("stranger")] = ([], False)
    assert seen(town).unknown_runs == ("stranger",)
    with town.outside().desk() as desk:
        assert [wave.key for wave in hold_restored(desk, seen_in(desk.books, town))] == ["W01"]
    assert not seen(town).is_so


def seen_in(books: object, town: Town) -> WentBack:
    return went_back(books, town.runs)  # type: ignore[arg-type]


def test_a_driver_whose_store_is_replaced_under_it_goes(tmp_path: Path) -> None:
    town = a_town(tmp_path / "t", "started")
    town.store.close()  # type: ignore[attr-defined]
    shutil.copy(tmp_path / "t" / "kahn.sqlite", tmp_path / "kept")
    town.driver()
    driver = town.driver()
    back_to(town, tmp_path / "kept")
    with pytest.raises(StoreWentBack, match="was replaced"):
        town.drive(_on(town, driver))  # type: ignore[arg-type]


def _on(town: Town, driver: object) -> object:
    driver._outside = town.outside()  # type: ignore[attr-defined]
    return driver
