"""What depends on the version of a program: databases whose files are carried, and configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared

versions = shared("kahn_versions")
POSTGRES = {"kind": "postgresql", "series": "15", "package": "postgresql-15"}
MARIADB = {"kind": "mariadb", "series": "10.11", "package": "mariadb-server"}


def a_root(root: Path, *folders: str) -> str:
    for one in folders:
        (root / one).mkdir(parents=True)
    return str(root)


def test_a_database_is_one_that_has_a_server_and_data(tmp_path: Path) -> None:
    root = a_root(tmp_path, "var/lib/postgresql/13/main", "var/lib/postgresql/15/main", "var/lib/mysql/mysql")
    there = {
        "postgresql-15": "15.9-0+deb12u1",
        "mariadb-server-10.5": "1:10.5.23-0+deb11u1",
        "postgresql-client-13": "13",
    }
    found = versions.databases(root, there)
    assert found == [dict(MARIADB, series="10.5"), POSTGRES]
    assert versions.packages_of(found) == ["mariadb-server", "postgresql-15"]
    assert versions.databases(a_root(tmp_path / "empty"), there) == []
    for name in ("mysql-server-8.0", "mysql-community-server"):
        (one,) = versions.databases(root, {name: "8.0.40-1debian12"})
        assert one == {"kind": "mysql", "series": "8.0", "package": "mysql-server"}


@pytest.mark.parametrize(
    ("here", "why"),
    [
        ({"postgresql-15": "15.1-0", "mariadb-server": "1:10.11.6-0+deb12u1"}, ""),
        ({"postgresql-15": "15.1-0", "mariadb-server": "1:10.5.23-0+deb11u1"}, "database_version"),
        ({"postgresql-15": "15.1-0", "mariadb-server": "1:11.8.2-1"}, "database_version"),
        ({"postgresql-17": "17.1-0", "mariadb-server": "1:10.11.6-0"}, "database_version"),
        ({"postgresql-15": "15.1-0"}, "database_version"),
    ],
)
def test_only_the_same_series_takes_the_files_of_a_database(here: dict[str, str], why: str) -> None:
    assert cause(versions.refuse_other_series, [POSTGRES, MARIADB], here) == why


@pytest.mark.parametrize(
    "one",
    [
        dict(MARIADB, package="-oDir::Etc=/srv"),
        dict(MARIADB, package="postgresql-15"),
        dict(POSTGRES, series="15 "),
        dict(POSTGRES, kind="linux-image", package="linux-image-server"),
    ],
)
def test_an_old_host_names_no_other_packages_than_those_of_databases(one: dict[str, str]) -> None:
    assert cause(versions.packages_of, [one]) == "parcel_damaged"


def test_changed_configuration_of_another_version_is_told_file_by_file() -> None:
    asked = {
        "nginx": ["1.18.0-6", ["etc/nginx/nginx.conf"]],
        "cron": ["3.0pl1-137", ["etc/crontab"]],
        "x": ["1", ["etc/x"]],
    }
    here = {"nginx": "1.22.1-9", "cron": "3.0pl1-162"}
    assert versions.other_configuration(asked, here) == ["/etc/nginx/nginx.conf: of nginx 1.18.0-6, here 1.22.1-9"]


def test_the_release_is_the_systems_own_word(tmp_path: Path) -> None:
    assert versions.release(str(tmp_path)) == ""
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    assert versions.release(str(tmp_path)) == "Debian GNU/Linux 12 (bookworm)"
