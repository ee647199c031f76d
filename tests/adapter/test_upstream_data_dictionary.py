"""The data dictionary of SQLSpec's adapter goes on working on both adapters."""

from __future__ import annotations

import pytest
from sqlspec.data_dictionary import MetadataSupport


async def test_the_version_of_the_server_is_known(session, servers):
    version = await session.data_dictionary.get_version(session)
    number = await session.select_value("SELECT current_setting('server_version_num')::int / 10000")
    assert version.major == number


async def test_the_version_is_asked_for_once(session):
    first = await session.data_dictionary.get_version(session)
    assert await session.data_dictionary.get_version(session) is first


async def test_the_features_of_the_server_are_flags(session):
    dictionary = session.data_dictionary
    features = dictionary.list_available_features()
    flags = {name: await dictionary.get_feature_flag(session, name) for name in features}
    assert set(map(type, flags.values())) == {bool}
    assert flags["supports_jsonb"] is True
    assert flags["supports_returning"] is True


@pytest.mark.parametrize(
    ("category", "type_name"), [("json", "JSONB"), ("uuid", "UUID"), ("boolean", "BOOLEAN")]
)
async def test_the_best_type_for_a_category_is_named(session, category, type_name):
    assert await session.data_dictionary.get_optimal_type(session, category) == type_name


async def test_tables_come_with_those_they_refer_to_first(session):
    tables = await session.data_dictionary.get_tables(session)
    names = [table["table_name"] for table in tables]
    assert set(names) == {"users", "accounts", "products", "events", "embeddings"}
    assert names.index("users") < names.index("events")


async def test_columns_come_with_their_types_and_whether_they_may_be_null(session):
    columns = await session.data_dictionary.get_columns(session, table="users")
    by_name = {column["column_name"]: column for column in columns}
    assert list(by_name) == ["id", "name", "email", "status", "age", "created_at"]
    assert by_name["age"]["data_type"] == "integer"
    assert str(by_name["name"]["is_nullable"]) in {"NO", "False"}
    assert str(by_name["age"]["is_nullable"]) in {"YES", "True"}


async def test_columns_of_a_table_in_another_schema_are_found(session):
    await session.execute_script("CREATE SCHEMA other; CREATE TABLE other.users (only_here int)")
    columns = await session.data_dictionary.get_columns(session, table="users", schema="other")
    assert [column["column_name"] for column in columns] == ["only_here"]


async def test_columns_of_a_whole_schema_are_listed(session):
    columns = await session.data_dictionary.get_columns(session, schema="public")
    assert {"users", "embeddings"} <= {column["table_name"] for column in columns}


async def test_indexes_come_with_their_columns_and_uniqueness(session):
    await session.execute("CREATE INDEX users_by_age ON users (age, name)")
    indexes = await session.data_dictionary.get_indexes(session, table="users")
    by_name = {index["index_name"]: index for index in indexes}
    assert by_name["users_by_age"]["columns"] == ["age", "name"]
    assert by_name["users_by_age"]["is_unique"] is False
    assert by_name["users_email_key"]["is_unique"] is True
    assert by_name["users_pkey"]["is_primary"] is True


@pytest.mark.parametrize("table", ["events", None])
async def test_foreign_keys_tell_what_they_refer_to(session, table):
    (key,) = await session.data_dictionary.get_foreign_keys(session, table=table)
    assert (key.table_name, key.column_name) == ("events", "user_id")
    assert (key.referenced_table, key.referenced_column) == ("users", "id")


async def test_schemas_and_objects_are_listed(session):
    dictionary = session.data_dictionary
    schemas = await dictionary.get_schemas(session)
    objects = await dictionary.get_objects(session)
    assert "public" in {row["schema_name"] for row in schemas.items}
    assert "users" in " ".join(map(str, objects.items))


async def test_views_are_listed(session):
    await session.execute("CREATE VIEW adults AS SELECT * FROM users WHERE age > 17")
    views = await session.data_dictionary.get_views(session)
    assert "adults" in str(views.items)


async def test_routines_are_listed(session):
    """In a schema of its own: SQLSpec's query fails on aggregates, and pgvector has some."""
    await session.execute_script(
        "CREATE SCHEMA api; CREATE FUNCTION api.one() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    )
    routines = await session.data_dictionary.get_routines(session, schema="api")
    assert "one" in str(routines.items)


async def test_constraints_are_listed(session):
    constraints = await session.data_dictionary.get_constraints(session, table="events")
    assert {"events_pkey", "events_user_id_fkey"} <= set(_words(constraints.items))


async def test_privileges_and_dependencies_can_be_asked_for(session):
    dictionary = session.data_dictionary
    for result in (
        await dictionary.get_privileges(session, "users"),
        await dictionary.get_dependencies(session, "users"),
    ):
        assert result.capability.support == MetadataSupport.SUPPORTED


async def test_the_definition_of_a_view_is_given(session):
    await session.execute("CREATE VIEW adults AS SELECT * FROM users WHERE age > 17")
    result = await session.data_dictionary.get_ddl(session, "adults", object_type="view")
    assert "age > 17" in result.ddl


async def test_the_capabilities_are_told(session):
    profile = await session.data_dictionary.get_metadata_capabilities(session)
    supported = {
        capability.domain
        for capability in profile.capabilities
        if capability.support == MetadataSupport.SUPPORTED
    }
    assert {"tables", "columns", "indexes", "constraints"} <= supported


def _words(items) -> list[str]:
    return [value for item in items for value in dict(item).values() if isinstance(value, str)]
