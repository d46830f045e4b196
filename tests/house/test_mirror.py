"""Every source file has its test file at the mirrored place."""

from __future__ import annotations

from pathlib import Path

from tests.house.sources import ROOMS, ROOT, nothing_in, python_files

WITHOUT_A_TEST_FILE = {
    "inventory/ports.py": "protocols only; each fulfilment has contract tests",
    "orchestrator/ports.py": "protocols only; each fulfilment has contract tests",
    "orchestrator/run_ports.py": "protocols only; each fulfilment has contract tests",
    **{
        f"playbooks/plugins/action/{name}.py": "a name for kahn_here, whose tests play every one of them"
        for name in ("kahn_accounts", "kahn_carry", "kahn_membership", "kahn_power", "kahn_procedure", "kahn_server")
    },
}

GENERATED_FOLDERS = ("migrations",)  # Alembic's scripts: exercised by every test that opens a store


def mirrored(source: Path) -> Path:
    """inventory/model.py -> tests/inventory/test_model.py; what Ansible loads by name lies flat in tests/playbooks."""
    folder = Path("playbooks") if source.parts[0] == "playbooks" and source.parts[1] != "plugins" else source.parent
    return Path("tests") / folder / f"test_{source.stem}.py"


def is_mirrored(source: Path) -> bool:
    return source.name not in ("__init__.py", "__main__.py") and not set(GENERATED_FOLDERS).intersection(source.parts)


def test_every_source_file_has_its_test_file() -> None:
    sources = [path for path in python_files(*ROOMS) if is_mirrored(path)]
    untested = [str(path) for path in sources if not (ROOT / mirrored(path)).exists()]
    nothing_in(set(untested) - set(WITHOUT_A_TEST_FILE))


def test_no_exception_from_the_mirror_rule_is_out_of_date() -> None:
    out_of_date = [
        name for name in WITHOUT_A_TEST_FILE if not (ROOT / name).exists() or (ROOT / mirrored(Path(name))).exists()
    ]
    nothing_in(out_of_date)


def test_no_package_is_empty_of_code() -> None:
    packages = {path.parent for path in python_files("inventory", "orchestrator") if path.name == "__init__.py"}
    full = {path.parent for path in python_files("inventory", "orchestrator") if path.name != "__init__.py"}
    nothing_in(str(package) for package in packages - full)
