"""Proofs of references/drop-in.md: what the drop-in is, and how it comes into a project."""

from __future__ import annotations

import ast
import filecmp
import importlib
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
import uuid
import zipfile
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import psqlpy_adapter
from dropin_tools import ROOT, SKILL, answer, child, opened
from proveskill import proves
from psqlpy.extra_types import Float64, PgVector
from psqlpy_adapter import PsqlpyConfig as DropIn
from sqlspec import SQLSpec
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.adapters.psqlpy.events import PsqlpyEventQueueStore
from sqlspec.migrations.commands import AsyncMigrationCommands


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if name[0] != "_"}


@proves(
    "It is SQLSpec's psqlpy adapter with its faults cured; its classes and methods are the same.",
    "What they mark `WRONG` is cured here, save psqlpy's own objects and:",
)
async def test_names_are_the_same_and_faults_are_cured(dsn) -> None:
    stock = importlib.import_module("sqlspec.adapters.psqlpy")
    for name in stock.__all__:
        assert inspect.isclass(getattr(psqlpy_adapter, name)) or name in psqlpy_adapter.__all__
    assert public(PsqlpyConfig) <= public(DropIn)
    assert public(PsqlpyDriver) <= public(psqlpy_adapter.PsqlpyDriver)
    async with opened(dsn) as config, config.provide_session() as session:
        # What SKILL.md marks: no white space, a batch and a stream in a transaction, <=> in a
        # write, a type that is right only once, a float, a list for a vector.
        assert len(await session.select("SELECT id FROM users WHERE id IN ($1,$2)", 1, 2)) == 2
        await session.begin()
        await session.execute_many("INSERT INTO users (name) VALUES ($1)", [("a",), ("b",)])
        assert len([row async for row in session.select_stream("SELECT id FROM users")]) == 5
        near = "DELETE FROM embeddings WHERE id = (SELECT id FROM embeddings ORDER BY vector <=> $1"
        await session.execute(f"{near} LIMIT 1)", [0, 0, 1])
        assert await session.select_value("SELECT count(*) FROM embeddings WHERE id = 3") == 0
        for _ in range(3):
            await session.execute("UPDATE products SET rating = $1", 4.7)
        await session.rollback()
        assert await session.select_value("SELECT count(*) FROM users") == 3


@proves(
    "Every section here that has code imports `psqlpy_adapter`; in the other files of this skill "
    "code is for SQLSpec's own adapter where it does not name `psqlpy_adapter`."
)
def test_what_the_files_import() -> None:
    here = (SKILL / "references" / "drop-in.md").read_text()
    sections = [text for text in here.split("\n## ")[1:] if "```python" in text]
    assert sections
    assert all("from psqlpy_adapter import" in text for text in sections)
    for file in {*SKILL.rglob("*.md")} - {SKILL / "references" / "drop-in.md"}:
        found = re.findall(r"^ *from (\S+) import .*Psqlpy", file.read_text(), re.MULTILINE)
        assert {name.partition(".")[0] for name in found} <= {"sqlspec", "psqlpy_adapter"}


@proves(
    "SQLSpec other than {sqlspec}, psqlpy other than {psqlpy} | run the project's tests first | "
    "run them too",
    table=" | `psqlpy_adapter` | `sqlspec.adapters.psqlpy`",
)
def test_the_versions_that_all_was_run_with(sqlspec: str, psqlpy: str) -> None:
    assert version("sqlspec").rpartition(".")[0] == sqlspec
    assert version("psqlpy") == psqlpy


@proves(
    "code that exists | change its imports, then check these | "
    "keep its workarounds; they work on both",
    table=" | `psqlpy_adapter` | `sqlspec.adapters.psqlpy`",
)
async def test_workarounds_work_on_both(session, dropin) -> None:
    """The final types of psqlpy, which stock needs, twice on each of the two adapters."""
    near = "SELECT id FROM embeddings ORDER BY vector <=> $1 LIMIT 1"
    key = uuid.uuid4()
    for used in (session, dropin):
        await used.begin()
        for _ in (1, 2):
            assert await used.select_value(near, PgVector([0.1, 0.9, 0.0])) == 2
            await used.execute("UPDATE products SET rating = $1, price = $2 WHERE id = $3",
                               Float64(4.7), Decimal("2.50"), 1)  # fmt: skip
            row = await used.select_one("SELECT rating, price FROM products WHERE id = $1", 1)
            assert row == {"rating": 4.7, "price": Decimal("2.50")}
            found = await used.select_value("SELECT ($1::uuid)::text AS id", key)
            assert found == str(key)
            assert await used.select_value("SELECT cardinality($1::int[]) AS n", ([1, 2],)) == 2
        await used.rollback()


@proves("The drop-in needs `{one}`, `{two}`, `{three}` and `{four}`.")
def test_the_packages_that_it_imports(one: str, two: str, three: str, four: str) -> None:
    """Of those that do not come with Python or with SQLSpec; `pgvector` only where it is used."""
    imported = set()
    for file in (SKILL / "assets" / "psqlpy_adapter").rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
    own = {*sys.stdlib_module_names, "psqlpy_adapter", "sqlglot"}
    assert imported - own == {one, two, three, four}


@proves(
    "Never mix the two in one program: the same statement would act differently.", adapter="stock"
)
async def test_the_two_adapters_act_differently(session, dropin) -> None:
    statement = "SELECT id FROM users WHERE id IN ($1,$2) ORDER BY id"
    assert await session.select(statement, 1, 2) == []
    assert await dropin.select(statement, 1, 2) == [{"id": 1}, {"id": 2}]


def package() -> dict[str, Any]:
    """What the wheel says of itself."""
    return tomllib.loads((ROOT / "examples" / "pyproject.toml").read_text())["project"]


PROGRAM = """
import asyncio, sys
from sqlspec.adapters.psqlpy import PsqlpyConfig
async def main():
    config = PsqlpyConfig(connection_config={"dsn": sys.argv[1], "max_db_pool_size": 2})
    async with config.provide_session() as session:
        rows = await session.select("SELECT id FROM users WHERE id IN ($1,$2)", 1, 2)
    loaded = sys.modules.get("psqlpy_adapter")
    print("\\n", len(rows), getattr(loaded, "__file__", "stock"))
    await config.close_pool()
asyncio.run(main())
"""


@proves(
    "Copy the folder `{folder}` of this skill beside the project's packages; "
    "`SKILL_DIR` is the folder of `{main}`:",
    "Then change the import line, and nothing else:",
    "One step brings it in (or `pip install` its wheel, `{wheel}`); then change the import:",
)
def test_a_copied_folder_and_a_changed_import_do(
    folder: str, main: str, wheel: str, dsn, tmp_path
) -> None:
    [skill] = ROOT.glob(f"skills/*/{main}")
    shutil.copytree(skill.parent / folder, tmp_path / "psqlpy_adapter")
    changed = PROGRAM.replace("from sqlspec.adapters.psqlpy import", "from psqlpy_adapter import")
    assert changed != PROGRAM
    found = child(changed, dsn, tmp_path).communicate(timeout=30)[0].split()
    assert found == ["2", str(tmp_path / "psqlpy_adapter" / "__init__.py")]
    assert wheel == package()["name"]


@proves(
    "Or install it as the wheel `{wheel}`, which holds the same package; then nothing is copied."
)
def test_the_wheel_holds_the_same_package(wheel: str, tmp_path) -> None:
    source = ROOT / "examples"
    assert package()["name"] == wheel
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=source, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    [built] = tmp_path.glob(f"{wheel.replace('-', '_')}-*.whl")
    zipfile.ZipFile(built).extractall(tmp_path)
    folder = SKILL / "assets" / "psqlpy_adapter"
    files = [str(file.relative_to(folder)) for file in folder.rglob("*.py")]
    same, *others = filecmp.cmpfiles(folder, tmp_path / "psqlpy_adapter", files, shallow=False)
    assert (sorted(same), others) == (sorted(files), [[], []])


@proves(
    "`PsqlpyConfig` is a subclass of SQLSpec's, so a `SQLSpec` registry, its migrations, "
    "event channels and their queues take it:"
)
async def test_a_registry_takes_it(dsn, tmp_path) -> None:
    assert "sqlspec.adapters.psqlpy.config" in {cls.__module__ for cls in DropIn.__mro__}
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_step.sql").write_text(
        "-- name: migrate-0001-up\nCREATE TABLE migrated (id int);\n"
    )
    config = DropIn(
        connection_config={"dsn": dsn, "max_db_pool_size": 3},
        migration_config={"script_location": str(folder), "include_extensions": ["events"]},
        extension_config={"events": {"backend": "poll_queue"}},
    )
    registry = SQLSpec()
    registry.add_config(config)
    await AsyncMigrationCommands(config).upgrade()
    assert await answer(config, "SELECT to_regclass('migrated')::text") == "migrated"
    channel = registry.event_channel(config)
    await channel.publish("orders", {"id": 7})
    async for event in channel.iter_events("orders", poll_interval=0.01):
        assert event.payload == {"id": 7}
        break
    await channel.shutdown()
    async with registry.provide_session(config) as session:
        assert type(session) is psqlpy_adapter.PsqlpyDriver
    store = PsqlpyEventQueueStore(config)
    async with config.provide_session() as session:
        assert await session.select_value(f"SELECT count(*) FROM {store.table_name}") == 1
    await config.close_pool()
