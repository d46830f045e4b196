"""``kahn wave``: approving, starting and taking back from a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from inventory.errors import ExpectedError
from orchestrator.actions.take_back import ReasonMissing, UnknownAsset
from orchestrator.cli import wave
from orchestrator.cli.context import Context, NoPerson, NotConfirmed
from orchestrator.core.approval import NotYourOwn
from orchestrator.core.lifecycle import IllegalTransition, WaveState
from orchestrator.core.ready import NotReady
from orchestrator.core.refusals import UnknownWave
from orchestrator.texts import use_language
from tests.copied_towns import by_hand
from tests.known_town import call
from tests.simulated_runs import Fault
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import Town


def fails_at(name: str) -> Fault:
    return lambda asset, step, direction: "failed" if asset == f"{name}-id" and step and direction.value == "do" else ""


def kahn(context: Context, *words: str) -> Result:
    return call(wave.app, context, *words)


def as_anna(town: Town) -> tuple[str, ...]:
    return "--as", "anna", "--key", str(town.anna.key_file)


def as_bert(town: Town) -> tuple[str, ...]:
    return "--as", "bert", "--key", str(town.bert.key_file)


def document(town: Town, *words: str) -> Any:
    return json.loads(kahn(sitting_down(town, json=True), *words).stdout)


def state(town: Town) -> WaveState:
    return town.wave()[0].state


def test_a_second_person_signs_what_is_shown_and_the_wave_runs_to_its_end(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    shown = kahn(context, "approve", "W01", *as_bert(town), "--condition", "only with Mr X").output
    assert "apc-001 (no department): source apc-001 10.9.0.2" in shown
    assert "on condition: only with Mr X" in kahn(context, "show", "W01").output
    assert kahn(context, "check", "W01").exit_code == 0
    assert kahn(context, "run", "W01").exit_code == 0
    assert state(town) is WaveState.CLOSED


def test_the_proposer_is_refused_with_3(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    with pytest.raises(NotYourOwn) as refused:
        kahn(context, "approve", "W01", *as_anna(town))
    assert refused.value.exit_code == 3
    assert state(town) is WaveState.PROPOSED


def test_without_a_person_or_their_yes_nothing_is_signed(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path)
    with pytest.raises(NoPerson):
        kahn(context, "approve", "W01")
    with pytest.raises(NotConfirmed):
        kahn(sitting_down(town, yes=False), "approve", "W01", *as_bert(town))
    assert state(town) is WaveState.PROPOSED


@pytest.mark.parametrize("verb", ["refuse", "withdraw"])
def test_a_proposal_is_turned_back_with_its_reason(tmp_path: Path, verb: str) -> None:
    context, town = a_terminal(tmp_path)
    kahn(context, verb, "W01", "--reason", "the vault is in repair", *as_bert(town))
    assert state(town) is WaveState.DRAFT


def test_a_wave_without_approval_is_refused_with_3_and_the_check_says_why(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    checked = kahn(context, "check", "W01")
    assert checked.exit_code == 3
    assert "0 of 1 approvals" in checked.output and "kahn wave approve W01" in checked.output
    with pytest.raises(NotReady) as refused:
        kahn(context, "run", "W01")
    assert refused.value.exit_code == 3


def test_a_signature_that_is_not_genuine_is_told_by_show_and_check_with_9(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    by_hand(
        town,
        "INSERT INTO wave_act SELECT tenant, wave, revision, 77, fingerprint, kind, side, person, for_person, "
        "canonical, replace(signature, 'U', 'V'), public_key FROM wave_act WHERE kind = 'approve'",
    )
    for verb in ("show", "check"):
        told = kahn(context, verb, "W01")
        assert told.exit_code == 9
        assert "one act in the store carries no genuine signature" in told.output
    with pytest.raises(NotReady, match="no genuine signature"):
        kahn(context, "run", "W01")


def test_a_wave_that_runs_elsewhere_is_not_started_twice(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    with town.store.seat() as mine:
        assert mine
        with pytest.raises(wave.AlreadyDriven) as refused:
            kahn(context, "run", "W01")
    assert refused.value.exit_code == 6
    assert town.states() == {"apc-001": "planned", "apc-002": "planned"}


@pytest.mark.parametrize("verb", ["show", "check", "run", "watch"])
def test_a_wave_that_is_not_there_is_nothing_found(tmp_path: Path, verb: str) -> None:
    context, _town = a_terminal(tmp_path)
    with pytest.raises(UnknownWave) as unknown:
        kahn(context, verb, "W99")
    assert unknown.value.exit_code == 5


def test_some_that_failed_end_with_1_and_a_held_wave_with_4(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path / "1", "approved", fault=fails_at("apc-002"))
    ended = kahn(context, "run", "W01")
    assert (ended.exit_code, "One asset is left behind. Next: `kahn plan propose`." in ended.output) == (1, True)
    context, town = a_terminal(tmp_path / "2", "started")
    town.clock.moment = town.wave()[0].content.window.closes
    assert kahn(context, "run", "W01").exit_code == 4
    assert "HELD" in kahn(context, "show", "W01").output


def test_a_rollback_is_previewed_and_then_done_only_with_a_reason(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    kahn(context, "run", "W01")
    assert "Assets: 1, users: 1." in kahn(context, "rollback", "W01", "apc-001", "--preview").output
    assert [line["name"] for line in document(town, "rollback", "W01", "--preview")] == ["apc-001", "apc-002"]
    with pytest.raises(ReasonMissing):
        kahn(context, "rollback", "W01", "apc-001", *as_anna(town))
    assert set(town.states().values()) == {"moved"}
    assert kahn(context, "rollback", "W01", "apc-001", "--reason", "no printer", *as_anna(town)).exit_code == 1
    assert town.states() == {"apc-001": "rolled_back", "apc-002": "moved"}


@pytest.mark.parametrize("name", ["apc-999", "all", "../x", "{{ lookup('pipe','id') }}"])
def test_a_host_that_is_not_in_the_wave_is_nothing_found(tmp_path: Path, name: str) -> None:
    context, town = a_terminal(tmp_path, "started")
    with pytest.raises(UnknownAsset) as unknown:
        kahn(context, "rollback", "W01", "--reason", "x", *as_anna(town), "--", name)
    assert unknown.value.exit_code == 5


def test_what_the_state_does_not_allow_is_refused(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "started")
    for words in (("withdraw", "W01"),):
        with pytest.raises(IllegalTransition) as refused:
            kahn(context, *words, "--reason", "x", *as_anna(town))
        assert refused.value.exit_code == 3


def test_the_list_speaks_the_language_of_whoever_asks(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    use_language("de")
    try:
        assert "vorgeschlagen" in kahn(context, "list").output
    finally:
        use_language("en")


def test_every_answer_is_one_json_document_when_asked_for(tmp_path: Path) -> None:
    _context, town = a_terminal(tmp_path)
    assert document(town, "list")[0]["wave"] == "W01"
    assert document(town, "show", "W01")["standing"]["missing"]
    assert {line["gate"] for line in document(town, "check", "W01")} >= {"signatures", "approval", "window"}
    assert document(town, "approve", "W01", *as_bert(town))["missing"] == []
    assert document(town, "run", "W01")["state"] == "closed"


def test_errors_of_this_noun_have_codes_and_remedies() -> None:
    for error in (wave.AlreadyDriven, wave.ChangedMeanwhile):
        assert issubclass(error, ExpectedError) and error.code and error.remedy and error.exit_code == 6
