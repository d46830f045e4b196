"""Servers of a migration factory, from its form and from its database, with their applications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inventory.model import AssetKind
from tests.inventory.sources.reading import only, part, read_json, read_text

FORM = (
    "wave_name,app_name,aws_region,aws_accountid,server_name,server_os_family,server_os_version,server_fqdn,server_tier,"
    "server_environment,r_type,subnet_IDs,instanceType,tenancy,tags\n"
    "Wave 1,Personal,eu-central-1,111122223333,Server1,windows,windows server 2012 R2,server1.stadt.example,web,prod,"
    "Repurchase,subnet-1,m4.large,Shared,CostCenter=123;BU=IT\n"
)
SERVER: dict[str, Any] = {
    "server_id": {"S": "1"}, "server_name": {"S": "web1.stadt.example"}, "server_os_family": {"S": "linux"},
    "server_os_version": {"S": "Ubuntu"}, "server_fqdn": {"S": "web1.stadt.example"}, "r_type": {"S": "TBC"},
    "tags": {"L": [{"M": {"key": {"S": "BU"}, "value": {"S": "IT"}}}]},
}  # fmt: skip


def test_a_server_of_the_form_and_its_application(tmp_path: Path) -> None:
    procedure, one = read_text(tmp_path, FORM, "aws-migration-factory").observations
    assert (procedure.kind, procedure.name, one.kind, one.name) == (
        AssetKind.PROCEDURE,
        "Personal",
        AssetKind.SERVER,
        "Server1",
    )
    assert part(one.values, "os_name", "strategy", "environment", "fqdn", "procedures") == (
        "windows server 2012 R2", "replace", "prod", "server1.stadt.example", ("Personal",)
    )  # fmt: skip
    assert "wave_name=Wave 1" in one.values["tags"] and "BU=IT" in one.values["tags"]  # type: ignore[operator]
    assert "111122223333" not in repr(one.values)


def test_a_server_of_the_database(tmp_path: Path) -> None:
    one = only(read_json(tmp_path, [SERVER], "aws-migration-factory"))
    assert part(one.values, "os_name", "fqdn", "strategy", "tags") == (
        "linux Ubuntu", "web1.stadt.example", None, ("BU=IT",)
    )  # fmt: skip


def test_a_server_without_a_name_is_refused(tmp_path: Path) -> None:
    reading = read_json(tmp_path, [SERVER | {"server_name": {"S": ""}}], "aws-migration-factory")
    assert (reading.observations, len(reading.refusals)) == ((), 1)


def test_databases_of_the_form_are_those_of_their_applications(tmp_path: Path) -> None:
    form = "app_name,database_name,database_type\nEWO,ewo main,oracle\nEWO,arch,\n,x,mysql\nGIS,a@b,\n"
    reading = read_text(tmp_path, form, "aws-migration-factory")
    (one,) = reading.observations
    assert (one.kind, one.name, one.values["databases"]) == (AssetKind.PROCEDURE, "EWO", ("arch", "oracle ewo_main"))
    assert [one.place.row for one in reading.refusals] == [4, 5]
