"""Real MariaDB servers for tests: two of their own, without a network, each with a socket in its folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 120
SEED = """
create user amt@localhost identified by 'geheim';
create user leser@'10.%' identified by 'lesen';
create database wohngeld character set utf8mb4 collate utf8mb4_german2_ci;
grant all on wohngeld.* to amt@localhost;
grant select on wohngeld.* to leser@'10.%';
use wohngeld;
set names utf8mb4;
create table payment(id bigint auto_increment primary key, mark varchar(80), amount decimal(10,2),
    at timestamp default current_timestamp, doc longblob, share double);
insert into payment(mark, amount, doc, share)
    select concat('alt ÄÖÜß \\\\ ', seq), seq * 1.01, unhex(md5(seq)), seq / 3 from seq_1_to_500;
create table `Seltsam ``Name`` 'x'`(a int unique, b text, c date, key(b(10)));
insert into `Seltsam ``Name`` 'x'` values (1, 'Zeile\\nzwei\\tmit Tab', null), (2, '', '2026-02-28'), (3, 'NULL', null);
create sequence nummer start with 4711;
create view summe as select sum(amount) from payment;
delimiter //
create trigger before_payment before insert on payment for each row begin set new.share = coalesce(new.share, 1); end //
create procedure echo(in given int) begin select given; end //
delimiter ;
"""


@dataclass(frozen=True)
class Server:
    """One MariaDB of its own; `account` runs it and is its superuser."""

    folder: Path
    account: str

    @property
    def socket(self) -> str:
        return str(self.folder / "socket")

    def ask(self, sql: str, name: str = "wohngeld", *, user: str = "", password: str = "") -> str:
        """What the program prints. Raises AssertionError with the server's words."""
        own = ["runuser", "-u", self.account, "--"] if os.geteuid() == 0 else []
        login = [f"--user={user or self.account}", *([f"--password={password}"] if password else [])]
        words = ["--batch", "--skip-column-names", "--default-character-set=utf8mb4", f"--socket={self.socket}", *login]
        database = [f"--database={name}"] if name else []
        done = subprocess.run(
            [*own, "mariadb", "--no-defaults", *words, *database], input=sql, capture_output=True, text=True, cwd="/"
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def two_servers() -> Iterator[tuple[Server, Server]]:
    """Both run until the end; the first holds the procedure's database."""
    account = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    with ExitStack() as stack:
        old, new = (stack.enter_context(_running(account)) for _ in range(2))
        old.ask(SEED, "")
        yield old, new


@contextmanager
def _running(account: str) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="kahn-my-"))
    server = Server(folder=folder, account=account)
    if os.geteuid() == 0:
        shutil.chown(folder, account)
    user = [f"--user={account}"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={folder}", *user]
    made = ["mariadb-install-db", *common, f"--auth-root-socket-user={account}", "--skip-test-db"]
    program = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert program is not None
    try:
        done = subprocess.run(made, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stdout + done.stderr
        served = [program, *common, f"--socket={server.socket}", "--skip-networking", "--innodb-buffer-pool-size=16M"]
        running = subprocess.Popen(served, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for(server, running)
            yield server
        finally:
            running.terminate()
            running.wait(timeout=PATIENCE_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server: Server, running: subprocess.Popen[bytes]) -> None:
    """Until it answers, not only until its socket is there."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            server.ask("select 1", "")
            return
        except AssertionError:
            assert running.poll() is None and time.monotonic() < until, "the server does not come up"
            time.sleep(0.1)
