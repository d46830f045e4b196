"""Computers of a directory: organisational units are departments, objects that are no computers are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import AssetKind
from inventory.observation import Observation, Reading
from tests.inventory.sources.reading import part, read_text

HEAD = "#TYPE Microsoft.ActiveDirectory.Management.ADComputer\r\n"
COLUMNS = (
    "DistinguishedName,DNSHostName,Enabled,Name,ObjectClass,ObjectGUID,OperatingSystem,LastLogonDate,IPv4Address,SID"
)
ROW = (
    '"CN=APC-1,OU=Clients,OU=Bürgeramt,OU=Stadt,DC=stadt,DC=example","apc-1.stadt.example","True","APC-1","computer",'
    '"2b1c8e5e-0000-4000-8000-000000000001","Windows 10 Pro","06.05.2024 07:08:09","10.2.0.17","S-1-5-21-1"'
)


def export(*rows: str, head: str = HEAD) -> bytes:
    return (head + "\r\n".join([COLUMNS, *rows]) + "\r\n").encode("utf-16")


def computers(reading: Reading) -> list[Observation]:
    return [one for one in reading.observations if one.kind is not AssetKind.DEPARTMENT]


def test_a_computer_of_the_export_in_utf16(tmp_path: Path) -> None:
    (one,) = computers(read_text(tmp_path, export(ROW), "ad-computers"))
    assert (one.kind, one.name) == (AssetKind.WORKSTATION, "APC-1")
    assert one.source_id == "2b1c8e5e-0000-4000-8000-000000000001"
    assert part(one.values, "fqdn", "department", "os_name", "address", "last_seen", "uuid", "lifecycle") == (
        "apc-1.stadt.example", "Bürgeramt", "Windows 10 Pro", "10.2.0.17", "2024-05-06", None, None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("5/6/2024 7:08:09 AM", "2024-05-06"),
        ("2024-05-06T07:08:09", "2024-05-06"),
        ("133594276890000000", "2024-05-06"),
        ("5/6/2024", None),
        ("0", None),
    ],
)
def test_the_last_logon_is_understood_where_it_has_one_reading(tmp_path: Path, written: str, day: str | None) -> None:
    (one,) = computers(read_text(tmp_path, export(ROW.replace("06.05.2024 07:08:09", written)), "ad-computers"))
    assert one.values.get("last_seen") == day


def test_disabled_computers_are_marked_and_controllers_are_servers(tmp_path: Path) -> None:
    off = ROW.replace('"True"', '"False"')
    controller = ROW.replace("OU=Clients,OU=Bürgeramt", "OU=Domain Controllers").replace("APC-1", "DC-1")
    first, second = computers(read_text(tmp_path, export(off, controller), "ad-computers"))
    assert first.values["lifecycle"] == "disabled in the directory"
    assert (second.kind, second.values["department"]) == (AssetKind.SERVER, "Stadt")


def test_a_user_in_the_export_is_refused_and_an_unnamed_system_is_a_guess(tmp_path: Path) -> None:
    user = ROW.replace('"computer"', '"user"').replace("APC-1", "erika")
    bare = ROW.replace("Windows 10 Pro", "")
    reading = read_text(tmp_path, export(user, bare), "ad-computers")
    assert len(reading.refusals) == 1 and "no computer" in reading.refusals[0].says
    assert [one.kind_is_guess for one in computers(reading)] == [True]


def test_csvde_is_understood_too(tmp_path: Path) -> None:
    text = (
        "DN,objectClass,cn,dNSHostName,operatingSystem,userAccountControl,lastLogonTimestamp\r\n"
        '"CN=SRV1,OU=Server,OU=IT\\, Technik,DC=x",computer,SRV1,srv1.x.example,Windows Server 2008 R2,4098,'
        "133594276890000000\r\n"
    )
    (one,) = computers(read_text(tmp_path, text, "ad-computers"))
    assert part(one.values, "department", "lifecycle", "last_seen") == (
        "IT, Technik", "disabled in the directory", "2024-05-06"
    )  # fmt: skip
