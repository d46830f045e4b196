"""The fleet preflight: who is looked at, what an answer means, and what is taken from a machine that lies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from inventory.model import AssetId
from orchestrator.core.access import AccessProfile
from orchestrator.core.command import BeginBatch, ChangeMove, ChangeWave, LookAtHosts, StartRun
from orchestrator.core.decide import next_commands
from orchestrator.core.explain import Sentence
from orchestrator.core.fleet import (
    MASS_UNREACHABLE,
    WAY_CLOSED,
    HostAnswer,
    Post,
    findings,
    hosts_lines,
    looked,
    posts_of,
)
from orchestrator.core.host_keys import Trouble
from orchestrator.core.lifecycle import MoveEvent, WaveEvent
from orchestrator.core.runbook import Adopted, Role, RoleSource
from orchestrator.core.surroundings import Looked, Surroundings
from orchestrator.core.wave import WaveContent, WaveMachine
from tests.orchestrator.core.builders import KEY, Game, a_runbook, a_wave

NOW = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
WELL = {
    "become": 1,
    "time": round(NOW.timestamp()),
    "free_kib": 9_000_000,
    "root": "rw",
    "load_percent": 40,
    "cores": 2,
    "packages": "free",
    "python": "here",
}


def answer(**changed: object) -> HostAnswer:
    lines = [f"{name} {value}" for name, value in {**WELL, **changed}.items() if value is not None]
    return HostAnswer(text="\n".join(["kahn-look 1", *lines, ""]), at=NOW)


def trouble(code: str) -> HostAnswer:
    return HostAnswer(trouble=Trouble(code=code, told=Sentence(says="told")))


def a_post(*, become: bool = False, shared: bool = False) -> Post:
    (post,) = posts_of(a_wave(batches={"b1": 1}), [AssetId("a01")])
    profile = AccessProfile(name="lab", user="kahn", key_file="/keys/lab", become=become)
    return replace(post, door=replace(post.door, profile=profile), shared=shared)


def causes(given: HostAnswer, post: Post | None = None) -> list[str]:
    return [one.cause for one in findings([post or a_post()], [given])]


def with_vault(content: WaveContent) -> WaveContent:
    """The same wave, each asset with a successor, and all of them with one vault and one jump host."""
    roles = {"target": RoleSource.SUCCESSOR, "vault": RoleSource.VAULT, "jump": RoleSource.JUMP}
    more = tuple(Role(name=name, machine=source) for name, source in roles.items())

    def machine(role: str, name: str) -> WaveMachine:
        return WaveMachine(role=role, name=name, address="10.0.0.9", host_key=KEY, access="lab")

    moves = tuple(
        replace(
            move,
            machines=(
                *move.machines,
                machine("target", f"neu-{move.asset}"),
                machine("vault", "vault"),
                machine("jump", "jump"),
            ),
        )
        for move in content.moves
    )
    runbook = replace(content.runbook, roles=(*content.runbook.roles, *more))
    return replace(content, moves=moves, runbook=runbook)


def test_a_machine_that_is_well_has_nothing_against_it() -> None:
    assert causes(answer()) == []


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"free_kib": 60 * 1024}, "disk_full"),
        ({"root": "ro"}, "read_only"),
        ({"time": round(NOW.timestamp()) - 31_536_000}, "clock_wrong"),
        ({"free_kib": None}, "no_sensible_answer"),
        ({"time": "soon"}, "no_sensible_answer"),
        ({"time": "9" * 40}, "no_sensible_answer"),
        ({"load_percent": 4_000}, ""),
        ({"packages": "locked"}, ""),
        ({"python": "none"}, "python_missing"),
    ],
)
def test_each_thing_that_speaks_against_a_machine_has_its_cause(changed: dict[str, object], cause: str) -> None:
    assert causes(answer(**changed)) == [cause]


def test_python_matters_only_where_modules_run_and_is_never_missed_where_nothing_is_said_of_it() -> None:
    assert causes(answer(python="none"), replace(a_post(), needs_python=False)) == []
    assert causes(answer(python=None)) == causes(answer(python="\x1b[2J")) == []
    adopted = replace(a_runbook(), adopted=Adopted(origin="x"))
    (post,) = posts_of(a_wave(batches={"b1": 1}, runbook=adopted), [AssetId("a01")])
    assert not post.needs_python and a_post().needs_python


def test_sudo_matters_only_where_the_profile_needs_it() -> None:
    assert causes(answer(become=0), a_post(become=True)) == ["sudo_refused"]
    assert causes(answer(become=0)) == []


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("unreachable", "unreachable"),
        ("refused", "connection_refused"),
        ("no_banner", "does_not_speak"),
        ("key_mismatch", "host_key_changed"),
        ("login", "login_refused"),
        ("too_late", "no_sensible_answer"),
        ("jump_login", WAY_CLOSED),
        ("key_file", ""),
        ("no_common_algorithm", ""),
        ("no_host_key", ""),
    ],
)
def test_what_came_between_has_its_cause_and_what_is_ours_is_not_the_machines(code: str, cause: str) -> None:
    assert causes(trouble(code)) == [cause]


def test_a_machine_that_says_a_thing_twice_is_taken_at_its_first_word() -> None:
    good = answer()
    assert causes(replace(good, text=good.text + "free_kib 1\nroot ro\nbecome 0\n")) == []


def test_own_machines_are_looked_at_for_each_asset_and_shared_ones_once_and_never_the_jump_host() -> None:
    content = with_vault(a_wave(batches={"b1": 2}))
    posts = posts_of(content, content.batches[0].assets)
    assert [(one.machine, one.shared, len(one.assets)) for one in posts] == [
        ("apc-a01", False, 1),
        ("neu-a01", False, 1),
        ("vault", True, 2),
        ("apc-a02", False, 1),
        ("neu-a02", False, 1),
    ]


def test_a_machine_that_people_or_another_tool_set_up_first_is_not_expected_to_answer_before() -> None:
    content = with_vault(a_wave(batches={"b1": 1}))
    first, *rest = content.runbook.steps
    on_target = replace(first, name="greet", on="target")
    for kind in ({"playbook": "", "checklist": ("unpack it",)}, {"external": True, "probe": "probe.yml"}):
        set_up = replace(first, name="set-up", **kind)  # type: ignore[arg-type]
        for steps, there in (((set_up, on_target), False), ((on_target, set_up), True), ((first, on_target), True)):
            changed = replace(content, runbook=replace(content.runbook, steps=(*steps, *rest)))
            found = [one.machine for one in posts_of(changed, [AssetId("a01")])]
            assert ("neu-a01" in found, "apc-a01" in found) == (there, True), steps


def test_where_people_do_everything_nobody_is_looked_at() -> None:
    runbook = a_runbook()
    steps = tuple(replace(step, playbook="", checklist=("look",)) for step in runbook.steps)
    by_hand = replace(runbook, steps=steps, baseline=replace(runbook.baseline, take="", compare=""))
    assert posts_of(a_wave(runbook=by_hand), [AssetId("a01")]) == ()


def test_a_bad_machine_keeps_back_its_own_asset_and_a_shared_one_the_wave() -> None:
    content = with_vault(a_wave(batches={"b1": 2}))
    posts = posts_of(content, content.batches[0].assets)
    bad_successor = [trouble("refused") if one.machine == "neu-a02" else answer() for one in posts]
    assert looked(content, posts, findings(posts, bad_successor)).held == {"a02": "connection_refused"}
    bad_vault = [answer(root="ro") if one.shared else answer() for one in posts]
    assert looked(content, posts, findings(posts, bad_vault)) == Looked(closed=WAY_CLOSED)


def test_many_silent_machines_are_the_lines_fault_and_few_are_their_own() -> None:
    content = a_wave(batches={"b1": 6}, unreachable_share=0.5)
    posts = posts_of(content, content.batches[0].assets)
    for silent, means in ((2, 2), (3, 0)):
        answers = [trouble("unreachable") if number < silent else answer() for number in range(6)]
        found = looked(content, posts, findings(posts, answers))
        assert len(found.held) == means
        assert found.closed == ("" if means else MASS_UNREACHABLE)


def test_a_batch_begins_only_after_a_look_and_without_whom_it_holds() -> None:
    game = Game(a_wave(batches={"b1": 3}))

    def answers(hosts: Looked | None) -> tuple[object, ...]:
        return next_commands(game.content, game.progress, game.now, around=Surroundings(hosts=hosts))

    assets = game.content.batches[0].assets
    assert answers(None) == (LookAtHosts(batch="b1", assets=assets),)
    assert answers(Looked(closed=WAY_CLOSED)) == (ChangeWave(event=WaveEvent.HOLD, cause=WAY_CLOSED),)
    assert answers(Looked(held={assets[1]: "read_only"})) == (
        BeginBatch(batch="b1"),
        ChangeMove(asset=assets[0], event=MoveEvent.BEGIN),
        ChangeMove(asset=assets[1], event=MoveEvent.HOLD, cause="read_only"),
        ChangeMove(asset=assets[2], event=MoveEvent.BEGIN),
    )


def test_nobody_logs_in_anywhere_while_all_dispatch_is_stopped() -> None:
    game = Game(a_wave())
    around = Surroundings(hosts=None, stopped=True)
    assert next_commands(game.content, game.progress, game.now, around=around) == ()


def test_a_batch_under_way_is_not_looked_at_again() -> None:
    game = Game(a_wave(batches={"b1": 2}))
    for command in next_commands(game.content, game.progress, game.now):
        game.carry_out(command)
    commands = next_commands(game.content, game.progress, game.now, around=Surroundings(hosts=None))
    assert commands and all(isinstance(one, StartRun) for one in commands)


def test_lines_of_the_ready_check_hold_an_asset_or_block_the_wave() -> None:
    own, shared = a_post(), a_post(shared=True)
    posts, content = [own, shared, a_post()], a_wave(batches={"b1": 1})
    lines = hosts_lines(content, posts, findings(posts, [answer(root="ro"), trouble("login"), answer()]))
    assert [(line.verdict, line.assets) for line in lines] == [("held", ("a01",)), ("blocks", ()), ("ok", ())]
    assert lines[0].says.text == "apc-a01: its root file system is read-only"
    assert lines[-1].says.facts == {"count": 1}


def test_lines_of_the_ready_check_say_what_the_wave_will_do_and_never_well_of_whom_nobody_saw() -> None:
    content = a_wave(batches={"b1": 4}, unreachable_share=0.5)
    posts = posts_of(content, content.batches[0].assets)
    lines = hosts_lines(content, posts, findings(posts, [trouble("unreachable")] * 4))
    assert [line.verdict for line in lines] == ["held"] * 4 + ["blocks"]
    assert [line.verdict for line in hosts_lines(content, (), ())] == ["unknown"]


def test_machines_that_lead_to_a_procedure_are_looked_at_and_a_bad_one_keeps_only_its_own_assets_back() -> None:
    wave = a_wave(batches={"b1": 2})
    desk = WaveMachine(role="partner_1", name="kasse", address="10.0.0.8", host_key=KEY, access="lab")
    first = replace(wave.moves[0], machines=(*wave.moves[0].machines, desk))
    content = replace(wave, moves=(first, *wave.moves[1:]))
    posts = posts_of(content, [move.asset for move in content.moves])
    assert [post.machine for post in posts if not post.shared] == [post.machine for post in posts]
    (partner,) = [post for post in posts if post.machine == "kasse"]
    told = [trouble("unreachable") if post is partner else answer() for post in posts]
    found = looked(content, posts, findings(posts, told))
    assert found == Looked(held={first.asset: "unreachable"})
