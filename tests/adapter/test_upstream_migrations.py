"""SQLSpec's migrations go on working with the configs of both adapters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlspec.exceptions import MigrationError
from sqlspec.migrations.commands import AsyncMigrationCommands


class Project:
    """A folder of migrations, and the commands of a config that uses it."""

    def __init__(self, folder: Path, make_config: Callable[..., Any], settings: dict[str, Any]):
        self.folder = folder
        self.config = make_config(
            migration_config={
                "script_location": str(folder),
                "version_table_name": "versions",
                **settings,
            }
        )
        self.commands = AsyncMigrationCommands(self.config)

    def add(self, version: str, up: list[str], down: list[str]) -> None:
        """Write a migration in Python."""
        (self.folder / f"{version}_step.py").write_text(
            f'"""Step {version}."""\n\n\ndef up():\n    return {up!r}\n\n\n'
            f"def down():\n    return {down!r}\n"
        )

    def add_table(self, version: str, table: str) -> None:
        self.add(version, [f"CREATE TABLE {table} (id int)"], [f"DROP TABLE {table}"])

    def add_sql(self, version: str, up: str, down: str, header: str = "") -> None:
        """Write a migration in SQL."""
        (self.folder / f"{version}_step.sql").write_text(
            f"{header}-- name: migrate-{version}-up\n{up}\n\n"
            f"-- name: migrate-{version}-down\n{down}\n"
        )

    async def ask(self, statement: str) -> Any:
        async with self.config.provide_session() as session:
            return await session.select_value(statement)

    async def has(self, table: str) -> bool:
        return await self.ask(f"SELECT to_regclass('{table}') IS NOT NULL")


@pytest.fixture
async def project(make_config, tmp_path) -> Callable[..., Any]:
    """Make a project, initialised."""

    async def make(**settings: Any) -> Project:
        project = Project(tmp_path / "migrations", make_config, settings)
        await project.commands.init(str(project.folder), package=True)
        return project

    return make


async def test_init_makes_the_folder_of_the_migrations(project):
    made = await project()
    assert (made.folder / "__init__.py").exists()


async def test_upgrade_makes_a_table_and_downgrade_removes_it(project):
    made = await project()
    made.add_table("0001", "thing")
    await made.commands.upgrade()
    assert await made.has("thing")
    await made.commands.downgrade("base")
    assert not await made.has("thing")


async def test_a_second_upgrade_does_nothing(project):
    made = await project()
    made.add_table("0001", "thing")
    await made.commands.upgrade()
    await made.commands.upgrade()
    assert await made.ask("SELECT count(*) FROM versions") == 1


async def test_the_current_version_is_told(project):
    made = await project()
    assert await made.commands.current() in {None, "base"}
    made.add_table("0001", "thing")
    await made.commands.upgrade()
    assert await made.commands.current() == "0001"
    await made.commands.downgrade("base")
    assert await made.commands.current() in {None, "base"}


async def test_downgrade_goes_to_the_version_that_is_named(project):
    made = await project()
    for version in ("0001", "0002", "0003"):
        made.add_table(version, f"thing{version}")
    await made.commands.upgrade()
    await made.commands.downgrade("0001")
    states = [await made.has(f"thing{version}") for version in ("0001", "0002", "0003")]
    assert states == [True, False, False]


async def test_downgrade_goes_back_one_step(project):
    made = await project()
    made.add_table("0001", "one")
    made.add_table("0002", "two")
    await made.commands.upgrade()
    await made.commands.downgrade()
    assert (await made.has("one"), await made.has("two")) == (True, False)


async def test_upgrade_goes_to_the_version_that_is_named(project):
    made = await project()
    made.add_table("0001", "one")
    made.add_table("0002", "two")
    await made.commands.upgrade("0001")
    assert (await made.has("one"), await made.has("two")) == (True, False)


async def test_every_statement_of_a_step_runs(project):
    made = await project()
    made.add(
        "0001",
        [
            "CREATE TABLE thing (id int)",
            "INSERT INTO thing VALUES (1)",
            "INSERT INTO thing VALUES (2)",
        ],
        ["DROP TABLE thing"],
    )
    await made.commands.upgrade()
    assert await made.ask("SELECT sum(id) FROM thing") == 3


async def test_a_step_that_fails_is_reported_and_leaves_nothing_behind(project, capsys):
    made = await project()
    made.add("0001", ["CREATE TABLE thing (id int)", "INSERT INTO nowhere VALUES (1)"], [])
    await made.commands.upgrade()
    assert "nowhere" in capsys.readouterr().out
    assert not await made.has("thing")
    assert await made.ask("SELECT count(*) FROM versions") == 0


async def test_the_steps_before_the_one_that_fails_are_kept(project):
    made = await project()
    made.add_table("0001", "thing")
    made.add("0002", ["INSERT INTO nowhere VALUES (1)"], [])
    await made.commands.upgrade()
    assert await made.has("thing")
    assert await made.commands.current() == "0001"


async def test_a_step_in_sql_runs_up_and_down(project):
    made = await project()
    made.add_sql(
        "0001",
        "CREATE TABLE thing (id serial PRIMARY KEY, name text DEFAULT 'a;b');\n"
        "INSERT INTO thing DEFAULT VALUES;",
        "DROP TABLE thing;",
    )
    await made.commands.upgrade()
    assert await made.ask("SELECT name FROM thing") == "a;b"
    await made.commands.downgrade("base")
    assert not await made.has("thing")


async def test_a_step_with_a_function_body_runs(project):
    made = await project()
    made.add_sql(
        "0001",
        "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$\n"
        "BEGIN\n  n := n * 2;\n  RETURN n;\nEND;\n$$;",
        "DROP FUNCTION twice(int);",
    )
    await made.commands.upgrade()
    assert await made.ask("SELECT twice(4)") == 8


async def test_a_step_outside_of_a_transaction_runs(project):
    made = await project()
    made.add_sql(
        "0001",
        "CREATE INDEX CONCURRENTLY users_by_age ON users (age);",
        "DROP INDEX CONCURRENTLY users_by_age;",
        header="-- transactional: false\n",
    )
    await made.commands.upgrade()
    assert await made.has("users_by_age")
    await made.commands.downgrade("base")
    assert not await made.has("users_by_age")


async def test_a_dry_run_changes_nothing(project):
    made = await project()
    made.add_table("0001", "thing")
    await made.commands.upgrade(dry_run=True)
    assert not await made.has("thing")


async def test_stamp_sets_the_version_without_running_the_step(project):
    made = await project()
    made.add_table("0001", "thing")
    await made.commands.stamp("0001")
    assert await made.commands.current() == "0001"
    assert not await made.has("thing")


async def test_the_steps_run_in_the_default_schema(project):
    made = await project(default_schema="app")
    made.add_table("0001", "thing")
    await _create_schema(made, "app")
    await made.commands.upgrade()
    assert await made.has("app.thing")
    assert not await made.has("public.thing")
    assert await made.has("app.versions")


async def test_a_step_outside_of_a_transaction_runs_in_the_default_schema(project):
    made = await project(default_schema="app")
    made.add_sql(
        "0001", "CREATE TABLE thing (id int);", "DROP TABLE thing;", "-- transactional: false\n"
    )
    await _create_schema(made, "app")
    await made.commands.upgrade()
    assert await made.has("app.thing")
    assert not await made.has("public.thing")


async def test_the_default_schema_does_not_stay_in_the_search_path(project):
    made = await project(default_schema="app")
    made.add_sql(
        "0001", "CREATE TABLE thing (id int);", "DROP TABLE thing;", "-- transactional: false\n"
    )
    await _create_schema(made, "app")
    await made.commands.upgrade()
    assert "app" not in await made.ask("SHOW search_path")


async def test_the_version_table_has_a_schema_of_its_own(project):
    made = await project(version_table_schema="tracking")
    made.add_table("0001", "thing")
    await _create_schema(made, "tracking")
    await made.commands.upgrade()
    assert await made.has("tracking.versions")
    assert await made.has("public.thing")
    assert not await made.has("public.versions")


async def test_a_missing_default_schema_is_refused_before_anything_is_done(project):
    made = await project(default_schema="nowhere")
    made.add_table("0001", "thing")
    with pytest.raises(MigrationError, match="nowhere"):
        await made.commands.upgrade()
    assert not await made.has("public.versions")


async def test_the_config_runs_its_migrations_itself(project):
    made = await project()
    made.add_table("0001", "thing")
    await made.config.migrate_up()
    assert await made.config.get_current_migration() == "0001"
    await made.config.migrate_down("base")
    assert not await made.has("thing")


async def test_the_migrations_of_the_events_extension_make_the_queue_table(make_config, tmp_path):
    (tmp_path / "migrations").mkdir()
    config = make_config(
        migration_config={
            "script_location": str(tmp_path / "migrations"),
            "include_extensions": ["events"],
        },
        extension_config={"events": {"backend": "poll_queue", "queue_table": "own_queue"}},
    )
    await AsyncMigrationCommands(config).upgrade()
    async with config.provide_session() as session:
        columns = await session.data_dictionary.get_columns(session, table="own_queue")
    types = {column["column_name"]: column["data_type"] for column in columns}
    assert types["payload_json"] == "jsonb"


async def _create_schema(made: Project, schema: str) -> None:
    async with made.config.provide_session() as session:
        await session.execute(f"CREATE SCHEMA {schema}")
