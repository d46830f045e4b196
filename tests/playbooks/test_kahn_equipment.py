"""Printers, shares and scheduled jobs of a seat: read, added, taken away again, and what hostile hosts may not do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, module
from tests.playbooks.test_kahn_printers import DRIVER, FLUR
from tests.playbooks.test_kahn_shares import CIFS, SECRET

equipment = module("kahn_equipment")
JOBS = "var/spool/cron/crontabs"


def a_host(root: Path, files: dict[str, str], *, cups: bool = True) -> str:
    """The root of a host with these files, one ordinary account, cron, and CUPS where wanted."""
    plain = {
        "etc/passwd": "root:x:0:0::/root:/bin/sh\nanna:x:1001:1001::/home/anna:/bin/sh\n",
        "etc/group": "lp:x:7:\n",
        "etc/fstab": "UUID=1 / ext4 defaults 0 1\n",
    }
    (root / JOBS).mkdir(parents=True)
    for path, text in (plain | files).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    if cups:
        (root / "etc/cups").mkdir(exist_ok=True)
    return str(root)


def old_host(root: Path) -> dict[str, Any]:
    files = {
        "etc/cups/printers.conf": FLUR,
        "etc/cups/ppd/Flur.ppd": DRIVER,
        "etc/fstab": CIFS,
        "root/.smb": SECRET,
        JOBS + "/anna": "0 7 * * 1 /home/anna/bericht\n",
        JOBS + "/root": "* * * * * /tmp/x\n",
        "usr/local/share/ca-certificates/stadt.crt": "x",
    }
    found: dict[str, Any] = equipment.read(a_host(root, files))
    return found


def arrived(base: Path, wanted: dict[str, Any]) -> str:
    (base / "a1").mkdir(parents=True)
    (base / "a1/equipment").write_text(json.dumps(wanted))
    return str(base)


def everything(root: str) -> dict[str, bytes]:
    return {str(one.relative_to(root)): one.read_bytes() for one in Path(root).rglob("*") if one.is_file()}


def new_host(root: Path) -> str:
    return a_host(root, {"usr/lib/cups/filter/rastertohp": ""})


def test_what_the_old_host_has_is_read_and_what_is_not_taken_over_is_named(tmp_path: Path) -> None:
    found = old_host(tmp_path / "old")
    told = equipment.told(found)
    assert (told["printers"], told["shares"], told["jobs"]) == (1, 1, 1)
    assert [one.split(":")[0] for one in told["left"]] == ["scheduled jobs of root", "certificate authority stadt.crt"]
    assert "geheim" not in json.dumps(told)


def test_the_new_host_gets_it_and_the_undo_gives_back_every_byte(tmp_path: Path) -> None:
    root, base = new_host(tmp_path / "new"), arrived(tmp_path / "s", old_host(tmp_path / "old"))
    before = everything(root)
    assert equipment.make("a1", root, base)[0] is True
    made = everything(root)
    assert made[JOBS + "/anna"].startswith(b"0 7") and b"/mnt/bauamt cifs" in made["etc/fstab"]
    assert b"Flur" in made["etc/cups/printers.conf"] and "etc/cups/ppd/Flur.ppd" in made
    secrets = list(Path(root, "etc/kahn-shares").iterdir())
    assert [one.stat().st_mode & 0o777 for one in secrets] == [0o600]
    assert equipment.check("a1", root, base)[1]["printers"] == 1
    assert equipment.make("a1", root, base)[0] is False and everything(root) == made
    equipment.unmake("a1", root, base)
    assert everything(root) == before and not Path(root, "mnt").exists() and not Path(root, "etc/kahn-shares").exists()
    assert equipment.unmake("a1", root, base)[0] is False


def test_what_the_new_host_has_already_stays_and_is_named(tmp_path: Path) -> None:
    files = {
        "etc/cups/printers.conf": FLUR.replace("ipp://", "ipps://"),
        "etc/fstab": "other:/x /mnt/bauamt nfs rw 0 0\n",
        JOBS + "/anna": "# mine\n",
    }
    root, base = a_host(tmp_path / "new", files), arrived(tmp_path / "s", old_host(tmp_path / "old"))
    before = everything(root)
    told = equipment.make("a1", root, base)[1]
    assert everything(root) == before and (told["printers"], told["shares"], told["jobs"]) == (0, 0, 0)
    assert len([one for one in told["left"] if "successor" in one]) == 3


def test_a_host_without_cups_or_filter_says_so(tmp_path: Path) -> None:
    base = arrived(tmp_path / "s", old_host(tmp_path / "old"))
    without = a_host(tmp_path / "new", {}, cups=False)
    assert "printer Flur: the successor has no CUPS" in equipment.make("a1", without, base)[1]["left"]
    equipment.unmake("a1", without, base, keep_list=True)
    lacking = a_host(tmp_path / "other", {})
    assert "printer Flur: the successor lacks the filter rastertohp" in equipment.make("a1", lacking, base)[1]["left"]


def test_what_changed_meanwhile_is_not_thrown_away_by_the_undo(tmp_path: Path) -> None:
    root, base = new_host(tmp_path / "new"), arrived(tmp_path / "s", old_host(tmp_path / "old"))
    equipment.make("a1", root, base)
    Path(root, JOBS, "anna").write_text("0 8 * * 1 /home/anna/neu\n")
    conf = Path(root, "etc/cups/printers.conf")
    conf.write_text(conf.read_text() + "<Printer Neu>\nDeviceURI ipp://neu/\n</Printer>\n")
    fstab = Path(root, "etc/fstab")
    fstab.write_text(fstab.read_text() + "tmpfs /mnt/x tmpfs rw 0 0\n")
    assert cause(equipment.check, "a1", root, base) == "equipment_missing"
    equipment.unmake("a1", root, base)
    assert fstab.read_text() == "UUID=1 / ext4 defaults 0 1\ntmpfs /mnt/x tmpfs rw 0 0\n"
    assert "Neu" in conf.read_text() and "Flur" not in conf.read_text()
    assert not Path(root, JOBS, "anna").exists()
    assert [one.read_text() for one in Path(base, "a1").glob("kept.*")] == ["0 8 * * 1 /home/anna/neu\n"]


def test_a_file_that_cups_wrote_anew_goes_when_no_printer_is_left(tmp_path: Path) -> None:
    root, base = new_host(tmp_path / "new"), arrived(tmp_path / "s", old_host(tmp_path / "old"))
    before = everything(root)
    equipment.make("a1", root, base)
    conf = Path(root, "etc/cups/printers.conf")
    conf.write_text("# Written by cupsd\nNextPrinterId 2\n" + conf.read_text().replace("Idle", "Stopped"))
    assert equipment.check("a1", root, base)[1]["printers"] == 1
    equipment.unmake("a1", root, base)
    assert everything(root) == before


def test_an_undo_of_what_was_only_half_made_gives_back_every_byte(tmp_path: Path) -> None:
    root, base = new_host(tmp_path / "new"), arrived(tmp_path / "s", old_host(tmp_path / "old"))
    before = everything(root)
    equipment.make("a1", root, base)
    Path(root, JOBS, "anna").unlink()
    Path(root, "etc/fstab").write_bytes(before["etc/fstab"])
    equipment.unmake("a1", root, base)
    assert everything(root) == before


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("printers", "name", "../../etc/cron.d/x"),
        ("printers", "default", "yes"),
        ("printers", "lines", ["DeviceURI file:/etc/passwd"]),
        ("printers", "lines", ["DeviceURI ipp://x/\n</Printer>\n<Printer y>"]),
        ("printers", "driver", DRIVER + '*FoomaticRIPCommandLine: "x"\n'),
        ("shares", "place", "/etc"),
        ("shares", "options", ["rw,suid"]),
        ("shares", "options", ["rw 0 0\n//a/b /etc"]),
        ("shares", "secret", "root::0:0::/:/bin/sh"),
        ("jobs", "user", "../../cron.d/x"),
        ("jobs", "text", "x\0y"),
        ("jobs", "text", 5),
    ],
)
def test_a_forged_list_is_refused_and_nothing_is_touched(tmp_path: Path, kind: str, field: str, value: Any) -> None:
    wanted = old_host(tmp_path / "old")
    wanted[kind][0][field] = value
    root, base = new_host(tmp_path / "new"), arrived(tmp_path / "s", wanted)
    before = everything(root)
    assert cause(equipment.make, "a1", root, base) == "equipment_invalid"
    assert everything(root) == before


def test_jobs_of_root_are_not_made_even_when_the_list_names_them(tmp_path: Path) -> None:
    wanted = old_host(tmp_path / "old") | {"jobs": [{"user": "root", "text": "* * * * * x\n"}]}
    root, base = new_host(tmp_path / "new"), arrived(tmp_path / "s", wanted)
    told = equipment.make("a1", root, base)[1]
    assert not Path(root, JOBS, "root").exists() and "no such account" in " ".join(told["left"])


@pytest.mark.parametrize("group", ["sudo:x:27:otto,anna", "docker:x:1001:"])
def test_jobs_of_an_account_that_administers_the_successor_are_left_to_people(tmp_path: Path, group: str) -> None:
    """Else a hostile old host would run commands there with more than a user's rights."""
    root = a_host(tmp_path / "new", {"etc/group": f"lp:x:7:\n{group}\n"}, cups=False)
    told = equipment.make("a1", root, arrived(tmp_path / "s", old_host(tmp_path / "old")))[1]
    assert not Path(root, JOBS, "anna").exists() and told["jobs"] == 0
    assert any(f"is in {group.split(':')[0]} on the successor" in one for one in told["left"])


def test_a_printer_that_is_named_twice_is_made_once(tmp_path: Path) -> None:
    wanted = old_host(tmp_path / "old")
    wanted["printers"].append({**wanted["printers"][0], "name": "FLUR"})
    root, base = new_host(tmp_path / "new"), arrived(tmp_path / "s", wanted)
    assert equipment.make("a1", root, base)[1]["printers"] == 1
    assert Path(root, "etc/cups/printers.conf").read_text().count("</") == 1


def test_links_in_place_of_files_are_not_followed(tmp_path: Path) -> None:
    root = a_host(tmp_path / "old", {"etc/fstab": CIFS})
    (tmp_path / "secret").write_text(SECRET)
    Path(root, "root").mkdir()
    Path(root, "root/.smb").symlink_to(tmp_path / "secret")
    assert equipment.read(root)["shares"] == []


def test_what_is_left_to_people_is_counted_whole_although_only_a_part_is_named(tmp_path: Path) -> None:
    files = {f"usr/local/share/ca-certificates/{number:04}.crt": "x" for number in range(450)}
    wanted = equipment.read(a_host(tmp_path / "old", files, cups=False))
    assert (len(wanted["left"]), equipment.told(wanted)["left_count"]) == (200, 450)
    base, new = arrived(tmp_path / "s", wanted), new_host(tmp_path / "new")
    assert equipment.make("a1", new, base)[1]["left_count"] == 450
    assert equipment.check("a1", new, base)[1]["left_count"] == 450


@pytest.mark.parametrize("count", [None, -1, "450", 10**9, True])
def test_a_count_that_cannot_be_is_refused(tmp_path: Path, count: object) -> None:
    wanted = old_host(tmp_path / "old") | {"left_count": count}
    base = arrived(tmp_path / "s", wanted)
    assert cause(equipment.make, "a1", new_host(tmp_path / "new"), base) == "equipment_invalid"
