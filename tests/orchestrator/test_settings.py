"""Settings: where they are found, what goes before what, and what is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from orchestrator.settings import SETTINGS, SYSTEM_HOME, BadSettings, NoHome, example_config, find_home, read_settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "TENANT", "LANG", "PERSON", "KEY"):
        monkeypatch.delenv(f"KAHN_{name}", raising=False)


def test_a_given_directory_goes_before_the_variable_and_that_before_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_home(None) == SYSTEM_HOME
    (tmp_path / "kahn.toml").write_text("")
    assert find_home(None) == tmp_path
    monkeypatch.setenv("KAHN_HOME", str(tmp_path / "named"))
    assert find_home(None) == tmp_path / "named"
    assert find_home(tmp_path / "given") == tmp_path / "given"


def test_without_a_configuration_the_way_to_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoHome, match="kahn init"):
        read_settings(tmp_path)


def test_an_empty_configuration_means_sqlite_inside_the_state_directory(tmp_path: Path) -> None:
    (tmp_path / "kahn.toml").write_text("")
    settings = read_settings(tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path / 'kahn.sqlite'}"
    assert (settings.language, settings.tenant, settings.key_file) == ("en", "", None)


def test_a_variable_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kahn.toml").write_text('tenant = "stadt"\nlanguage = "de"\n')
    monkeypatch.setenv("KAHN_TENANT", "kreis")
    settings = read_settings(tmp_path)
    assert (settings.tenant, settings.language) == ("kreis", "de")


@pytest.mark.parametrize("text", ["tenant = ", "colour = 'red'", "look_at_hosts = 'perhaps'", "tenant = 7", "\udcff"])
def test_a_configuration_that_cannot_be_used_is_refused_and_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "kahn.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadSettings, match=r"kahn\.toml"):
        read_settings(tmp_path)


def test_machines_are_looked_at_unless_the_file_says_no(tmp_path: Path) -> None:
    (tmp_path / "kahn.toml").write_text("")
    assert read_settings(tmp_path).looks_at_hosts
    (tmp_path / "kahn.toml").write_text('look_at_hosts = "no"')
    assert not read_settings(tmp_path).looks_at_hosts


def test_the_example_is_a_configuration_with_every_default() -> None:
    assert tomllib.loads(example_config()) == {setting.name: setting.default for setting in SETTINGS}


def test_a_directory_that_cannot_be_looked_into_is_said_and_no_mistake_of_ours(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="too long"):
        read_settings(tmp_path / ("x" * 300))
