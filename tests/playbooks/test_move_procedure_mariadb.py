"""move-procedure with a MariaDB on lab hosts, from the command line: forward, users write, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.playbooks.mariadbs import SEED
from tests.playbooks.moving_procedures import Wish, a_town
from tests.scenarios.story import ENGINEER, wait_until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
WISH = Wish(rows=40, documents=5, packages=("mariadb-server",), more='mariadb = ["wohngeld"]\n')
DIGEST = """
set group_concat_max_len = 1000000;
select md5(group_concat(concat_ws('|', id, mark, amount, at, hex(doc), share) order by id)) from payment;
select next_not_cached_value from nummer; select * from summe; call echo(7);
select hex(b), c from `Seltsam ``Name`` 'x'` order by a;
select action_statement, definer from information_schema.triggers where trigger_schema = 'wohngeld';
"""


def ask(host: Host, sql: str, *words: str) -> str:
    return host.run("mariadb", "--batch", "--skip-column-names", *words, stdin=sql).strip()


def serves(host: Host) -> bool:
    return host.run("sh", "-c", "mariadb -e 'select 1' >/dev/null 2>&1 && echo yes || true").strip() == "yes"


def test_a_database_moves_through_a_wave_and_comes_back_with_what_users_wrote(lab: Lab, tmp_path: Path) -> None:
    town = a_town(tmp_path / "story", lab, tenant="maria", wish=WISH)
    old, new = town.host("alt-1"), town.host("rz-1")
    for host in (old, new):
        wait_until(lambda host=host: serves(host), within_s=120, every_s=1)  # type: ignore[misc]
    ask(old, SEED)
    before = ask(old, DIGEST, "wohngeld")
    forward = town.story.tried("wave", "run", "W01")
    assert town.story.states() == {"alt-1": ("moved", "")}, forward
    assert ask(new, DIGEST, "wohngeld") == before
    login = ("--user=amt", "--password=geheim", "wohngeld")
    written = "insert into payment(mark) values ('am neuen Ort'); select share from payment order by id desc limit 1"
    assert ask(new, written, *login) == "1"
    assert "1" in ask(old, "select json_value(priv, '$.account_locked') from mysql.global_priv where user = 'amt'")
    there = ask(new, DIGEST, "wohngeld")
    back = town.story.tried("wave", "rollback", "W01", "--yes", "--reason", "Probe", person=ENGINEER)
    assert town.story.states() == {"alt-1": ("rolled_back", "asked")}, back
    assert ask(old, DIGEST, "wohngeld") == there != before
    assert ask(old, "select mark from payment order by id desc limit 1", *login) == "am neuen Ort"
    assert not {"wohngeld", "wohngeld_kahn_new"} & set(ask(new, "show databases").split())
    assert "wohngeld_kahn_new" not in ask(old, "show databases").split()
    assert ask(new, "select count(*) from mysql.global_priv where user in ('amt', 'leser')") == "0"
