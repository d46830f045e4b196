"""Waves keep frozen revisions, change by compare-and-set, and let nobody propose and approve. On both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from inventory.model import AssetId, TenantId
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.lifecycle import IllegalTransition, MoveState, WaveState
from orchestrator.core.refusals import ActMisplaced, Overtaken, SameSide, StoreDamaged, UnknownWave
from orchestrator.core.wave import ActKind, PersonId
from orchestrator.ports import WaveRow
from tests.orchestrator.adapters.builders import NOW, TOWN, Town, a_content, a_town, an_act

LATER = NOW.replace(hour=22)
OTHER = TenantId("other")


@pytest.fixture
def town(store: DatabaseStore) -> Town:
    with store.transaction() as books:
        return a_town(books)


def _by_hand(url: str, statement: str) -> None:
    with engine_for(parsed(url)).begin() as connection:
        connection.execute(text(statement))


def _act(store: DatabaseStore, wave: WaveRow, kind: ActKind, by: PersonId, for_person: PersonId | None = None) -> None:
    with store.transaction() as books:
        books.waves.add_act(wave, an_act(wave, kind, by, for_person=for_person))


def _set(store: DatabaseStore, wave: WaveRow, to: WaveState) -> WaveRow:
    with store.transaction() as books:
        return books.waves.set_state(wave, to=to, cause="because", at=LATER)


def test_a_new_wave_is_a_draft_and_comes_back_as_it_was_put(store: DatabaseStore, town: Town) -> None:
    with store.reading() as books:
        wave = books.waves.get(TOWN, "W01")
    assert wave == town.wave
    assert (wave.state, wave.revision, wave.version) == (WaveState.DRAFT, 1, 1)
    assert wave.content == a_content(town.plan)
    assert wave.fingerprint == wave.content.fingerprint


def test_its_moves_are_planned_in_the_order_of_its_batches(store: DatabaseStore, town: Town) -> None:
    with store.reading() as books:
        moves = books.waves.moves(TOWN, "W01")
    assert [(one.asset, one.batch) for one in moves] == [("a0", "canary"), ("a1", "b1"), ("a2", "b1")]
    assert {(one.state, one.version, one.since) for one in moves} == {(MoveState.PLANNED, 1, NOW)}


def test_an_unknown_wave_is_named(store: DatabaseStore, town: Town) -> None:
    with pytest.raises(UnknownWave, match="'W99' in town"), store.reading() as books:
        books.waves.get(TOWN, "W99")


def test_all_waves_come_by_key(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        for key in ("W03", "W02"):
            books.waves.put(a_content(town.plan, key=key), plan=town.plan.fingerprint, at=NOW)
    with store.reading() as books:
        assert [wave.key for wave in books.waves.all(TOWN)] == ["W01", "W02", "W03"]


def test_a_changed_state_is_there_for_everybody(store: DatabaseStore, town: Town) -> None:
    changed = _set(store, town.wave, WaveState.PROPOSED)
    with store.reading() as books:
        assert books.waves.get(TOWN, "W01") == changed
    assert (changed.state, changed.version, changed.cause, changed.since) == (WaveState.PROPOSED, 2, "because", LATER)


def test_a_state_that_somebody_changed_meanwhile_is_not_changed_again(store: DatabaseStore, town: Town) -> None:
    _set(store, town.wave, WaveState.PROPOSED)
    with pytest.raises(Overtaken, match="wave W01"):
        _set(store, town.wave, WaveState.PROPOSED)


def test_the_version_alone_also_counts(store: DatabaseStore, town: Town) -> None:
    back = _set(store, _set(store, town.wave, WaveState.PROPOSED), WaveState.DRAFT)
    assert back.state is town.wave.state
    with pytest.raises(Overtaken):
        _set(store, town.wave, WaveState.PROPOSED)


def test_a_move_changes_by_compare_and_set(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        move = books.waves.moves(TOWN, "W01")[1]
        changed = books.waves.set_move(move, to=MoveState.RUNNING, step="save", cause="", at=LATER)
        assert books.waves.moves(TOWN, "W01")[1] == changed
        assert books.waves.moves(TOWN, "W01")[0].state is MoveState.PLANNED
    with pytest.raises(Overtaken, match="PC-a1"), store.transaction() as books:
        books.waves.set_move(move, to=MoveState.RUNNING, step="save", cause="", at=LATER)


def test_the_next_revision_is_a_draft_without_the_acts_and_states_before_it(store: DatabaseStore, town: Town) -> None:
    _act(store, town.wave, ActKind.PROPOSE, town.anna)
    _set(store, town.wave, WaveState.PROPOSED)
    with store.transaction() as books:
        changed = a_content(town.plan, contacts=("desk",))
        wave = books.waves.put(changed, plan=town.plan.fingerprint, at=LATER)
        assert (wave.revision, wave.state, wave.content, wave.version) == (2, WaveState.DRAFT, changed, 3)
        assert books.waves.acts(TOWN, "W01") == ()
        assert len(books.waves.moves(TOWN, "W01")) == 3


def test_changing_one_wave_leaves_the_other_and_its_acts_alone(store: DatabaseStore, town: Town) -> None:
    _act(store, town.wave, ActKind.PROPOSE, town.anna)
    with store.transaction() as books:
        for contacts in ((), ("desk",)):
            content = a_content(town.plan, key="W02", contacts=contacts)
            books.waves.put(content, plan=town.plan.fingerprint, at=NOW)
        assert books.waves.get(TOWN, "W01") == town.wave
        assert len(books.waves.acts(TOWN, "W01")) == 1


def test_an_act_on_an_earlier_revision_is_overtaken(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        books.waves.put(a_content(town.plan), plan=town.plan.fingerprint, at=LATER)
    with pytest.raises(Overtaken):
        _act(store, town.wave, ActKind.APPROVE, town.bert)
    with pytest.raises(Overtaken):
        _set(store, town.wave, WaveState.PROPOSED)


def test_a_running_wave_cannot_be_replaced(store: DatabaseStore, town: Town) -> None:
    wave = town.wave
    for state in (WaveState.PROPOSED, WaveState.APPROVED, WaveState.CHECKING, WaveState.RUNNING):
        wave = _set(store, wave, state)
    with pytest.raises(IllegalTransition, match="running"), store.transaction() as books:
        books.waves.put(a_content(town.plan), plan=town.plan.fingerprint, at=LATER)


def test_signed_acts_come_back_in_order(store: DatabaseStore, town: Town) -> None:
    for kind, person in ((ActKind.PROPOSE, town.anna), (ActKind.APPROVE, town.bert), (ActKind.RESUME, town.anna)):
        _act(store, town.wave, kind, person)
    with store.reading() as books:
        acts = books.waves.acts(TOWN, "W01")
    assert [(one.act.kind, one.act.by) for one in acts] == [
        (ActKind.PROPOSE, town.anna),
        (ActKind.APPROVE, town.bert),
        (ActKind.RESUME, town.anna),
    ]
    assert acts[0] == an_act(town.wave, ActKind.PROPOSE, town.anna)


@pytest.mark.parametrize(("first", "second"), [("propose", "approve"), ("approve", "propose")])
def test_one_person_cannot_propose_and_approve(store: DatabaseStore, town: Town, first: str, second: str) -> None:
    _act(store, town.wave, ActKind(first), town.anna)
    with pytest.raises(SameSide, match="STO-015"):
        _act(store, town.wave, ActKind(second), town.anna)
    with store.reading() as books:
        assert len(books.waves.acts(TOWN, "W01")) == 1


def test_nobody_approves_what_was_proposed_in_their_name(store: DatabaseStore, town: Town) -> None:
    _act(store, town.wave, ActKind.PROPOSE, town.anna, town.bert)
    with pytest.raises(SameSide):
        _act(store, town.wave, ActKind.APPROVE, town.bert)


def test_nobody_approves_in_the_name_of_the_proposer(store: DatabaseStore, town: Town) -> None:
    _act(store, town.wave, ActKind.PROPOSE, town.anna)
    with pytest.raises(SameSide):
        _act(store, town.wave, ActKind.APPROVE, town.bert, town.anna)


def test_an_approver_may_approve_again_after_it_expired(store: DatabaseStore, town: Town) -> None:
    for _ in range(2):
        _act(store, town.wave, ActKind.APPROVE, town.bert)
    with store.reading() as books:
        assert len(books.waves.acts(TOWN, "W01")) == 2


def test_an_act_for_another_fingerprint_wave_or_tenant_is_refused(store: DatabaseStore, town: Town) -> None:
    right = an_act(town.wave, ActKind.APPROVE, town.bert)
    for wrong in ({"fingerprint": "0" * 64}, {"wave": "W02"}, {"tenant": OTHER}):
        with pytest.raises(ActMisplaced, match="STO-016"), store.transaction() as books:
            books.waves.add_act(town.wave, replace(right, act=replace(right.act, **wrong)))  # type: ignore[arg-type]


def test_a_person_of_another_tenant_cannot_act(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        stranger = a_town(books, OTHER).anna
    for kind in (ActKind.APPROVE, ActKind.WITHDRAW):
        with pytest.raises(ActMisplaced):
            _act(store, town.wave, kind, stranger)


COPY = """INSERT INTO wave_act SELECT tenant, wave, revision, 9, fingerprint, {kind}, {side}, '{person}',
    for_person, canonical, signature, public_key FROM wave_act"""


@pytest.mark.parametrize(
    ("kind", "side"), [("'approve'", "'approve'"), ("'approve'", "NULL"), ("'approve'", "'propose'")]
)
def test_the_database_itself_refuses_an_approval_row_of_the_proposer(
    store: DatabaseStore, town: Town, database_url: str, kind: str, side: str
) -> None:
    _act(store, town.wave, ActKind.PROPOSE, town.anna)
    with pytest.raises(IntegrityError):
        _by_hand(database_url, COPY.format(kind=kind, side=side, person=town.anna))


def test_an_approval_row_written_by_hand_is_found_when_it_is_read(
    store: DatabaseStore, town: Town, database_url: str
) -> None:
    """A second side can be written by hand, but the signed bytes say who acted."""
    _act(store, town.wave, ActKind.PROPOSE, town.anna)
    _by_hand(database_url, f"INSERT INTO wave_side VALUES ('town', 'W01', 1, '{town.bert}', 'approve')")
    _by_hand(database_url, COPY.format(kind="'approve'", side="'approve'", person=town.bert))
    with pytest.raises(StoreDamaged, match="act 9"), store.reading() as books:
        books.waves.acts(TOWN, "W01")


@pytest.mark.parametrize("table", ["wave_act", "wave_revision", "wave_side"])
@pytest.mark.parametrize("act", ["UPDATE {} SET revision = 2", "DELETE FROM {}"])
def test_the_database_itself_keeps_acts_and_revisions(
    store: DatabaseStore, town: Town, database_url: str, table: str, act: str
) -> None:
    _act(store, town.wave, ActKind.PROPOSE, town.anna)
    with pytest.raises(DBAPIError, match="append-only"):
        _by_hand(database_url, act.format(table))


def test_content_changed_by_hand_is_found_when_it_is_read(store: DatabaseStore, town: Town, database_url: str) -> None:
    with engine_for(parsed(database_url)).begin() as connection:
        canonical = connection.execute(text("SELECT canonical FROM wave_revision")).scalar_one()
        connection.execute(
            text(
                "INSERT INTO wave_revision "
                "SELECT tenant, wave, 2, fingerprint, plan, at_us, :changed FROM wave_revision"
            ),
            {"changed": bytes(canonical).replace(b"10.0.0.1", b"10.0.0.2")},
        )
        connection.execute(text("UPDATE wave SET revision = 2"))
    with pytest.raises(StoreDamaged, match="STO-020"), store.reading() as books:
        books.waves.get(TOWN, "W01")


def test_equal_keys_in_two_tenants_do_not_meet(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        other = a_town(books, OTHER)
    _set(store, other.wave, WaveState.PROPOSED)
    _act(store, other.wave, ActKind.PROPOSE, other.anna)
    with store.reading() as books:
        assert books.waves.get(TOWN, "W01").state is WaveState.DRAFT
        assert books.waves.acts(TOWN, "W01") == ()
        assert [move.asset for move in books.waves.moves(OTHER, "W01")] == [AssetId(f"a{n}") for n in range(3)]
