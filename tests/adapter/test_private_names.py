"""The bundled adapter uses no underscore name of SQLSpec or psqlpy but those guarded here.

None of them is promised to stay. Each is guarded: the test fails when upstream moves, renames or
redefines it, or no longer uses it where the adapter counts on that.
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass
from typing import Any

import psqlpy_adapter
import pytest
from private_names import definition, is_private, private_uses, tree_of
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyExceptionHandler
from sqlspec.exceptions import TransactionError

ASYNC = "sqlspec.driver._async"
COMMON = "sqlspec.driver._common"
CONFIG = "sqlspec.config"
STOCK_CONFIG = "sqlspec.adapters.psqlpy.config"
STOCK_DRIVER = "sqlspec.adapters.psqlpy.driver"


@dataclass(frozen=True)
class Guard:
    """A private name: where SQLSpec defines it and how, and the modules that must use it."""

    where: str
    definition: str
    used_in: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As `private_uses` names it: with its module when it is imported."""
        module, _, path = self.where.partition(":")
        return path.rpartition(".")[2] if "." in path or is_private(path) else f"{module}.{path}"


GUARDS = [
    # The pool, and how sessions and drivers are made: hooks that SQLSpec's config calls.
    Guard(f"{CONFIG}:AsyncDatabaseConfig._create_pool", "async def _create_pool(self)", (CONFIG,)),
    Guard(f"{CONFIG}:AsyncDatabaseConfig._close_pool", "async def _close_pool(self)", (CONFIG,)),
    Guard(
        f"{CONFIG}:AsyncDatabaseConfig._pool_lock", "self._pool_lock = asyncio.Lock()", (CONFIG,)
    ),
    Guard(
        f"{CONFIG}:DatabaseConfigProtocol._prepare_driver",
        "def _prepare_driver(self, driver)",
        (CONFIG, STOCK_CONFIG),
    ),
    Guard(
        f"{CONFIG}:DatabaseConfigProtocol._connection_context_class",
        "_connection_context_class: 'ClassVar[type[Any]]'",
        (CONFIG,),
    ),
    Guard(
        f"{CONFIG}:DatabaseConfigProtocol._session_context_class",
        "_session_context_class: 'ClassVar[type[Any]]'",
        (CONFIG,),
    ),
    # What SQLSpec's config does with a new connection: extensions, and the user's hook.
    Guard(
        f"{STOCK_CONFIG}:PsqlpyConfig._ensure_connection",
        "async def _ensure_connection(self, connection)",
        (STOCK_CONFIG,),
    ),
    Guard(
        f"{STOCK_CONFIG}:PsqlpyConfig._user_connection_hook",
        "self._user_connection_hook: Callable[[PsqlpyConnection], Awaitable[None]] | None = "
        "features_dict.get('on_connection_create')",
        (STOCK_CONFIG,),
    ),
    Guard(
        f"{STOCK_CONFIG}:PsqlpyConfig._pgvector_available",
        "self._pgvector_available: bool | None = None",
        (STOCK_CONFIG,),
    ),
    Guard(
        f"{STOCK_CONFIG}:PsqlpyConfig._initialized_connection_ids",
        "self._initialized_connection_ids: set[int] = set()",
        (STOCK_CONFIG,),
    ),
    Guard(
        f"{STOCK_CONFIG}:PsqlpyConfig._explicit_options",
        "self._explicit_options: str | None = "
        "raw_options if isinstance(raw_options, str) else None",
    ),
    # Executing: what SQLSpec compiled, whether somebody observes, and poolers.
    Guard(
        f"{COMMON}:CommonDriverAttributesMixin._compiled_sql",
        "def _compiled_sql(self, statement, statement_config, flatten_single_parameters=False)",
        (STOCK_DRIVER,),
    ),
    Guard(
        f"{COMMON}:CommonDriverAttributesMixin._observability",
        "self._observability = observability",
        (ASYNC,),
    ),
    Guard(
        f"{STOCK_DRIVER}:PsqlpyDriver._is_transaction_pooler_mode",
        "def _is_transaction_pooler_mode(self)",
        (STOCK_DRIVER,),
    ),
    # Totals: the statement that counts what a page leaves out.
    Guard(
        f"{COMMON}:CommonDriverAttributesMixin._count_query",
        "def _count_query(self, original_sql)",
        (ASYNC,),
    ),
    # Transactions: the state that SQLSpec's streams, stacks and transaction blocks read.
    Guard(
        f"{STOCK_DRIVER}:PsqlpyDriver._transaction_active",
        "self._transaction_active = False",
        (STOCK_DRIVER,),
    ),
    Guard(
        f"{COMMON}:CommonDriverAttributesMixin._transaction_depth",
        "self._transaction_depth = 0",
        (ASYNC,),
    ),
    Guard(
        f"{STOCK_DRIVER}:PsqlpyDriver._should_set_local_columnar",
        "def _should_set_local_columnar(self)",
    ),
    Guard(f"{COMMON}:validate_savepoint_name", "def validate_savepoint_name(name)"),
    # Errors.
    Guard(
        "sqlspec.driver._exception_handler:BaseAsyncExceptionHandler._handle_exception",
        "def _handle_exception(self, exc_type, exc_val)",
        ("sqlspec.driver._exception_handler",),
    ),
    # Loading: what SQLSpec's driver does around a COPY.
    Guard(
        f"{COMMON}:CommonDriverAttributesMixin._require_capability",
        "def _require_capability(self, capability_flag)",
    ),
    Guard(
        f"{COMMON}:CommonDriverAttributesMixin._attach_partition_telemetry",
        "def _attach_partition_telemetry(self, telemetry, partitioner)",
    ),
    Guard(
        f"{COMMON}:CommonDriverAttributesMixin._storage_job",
        "def _storage_job(self, produced, provided=None, *, status='completed')",
    ),
    Guard(
        f"{ASYNC}:AsyncDriverAdapterBase._read_storage_arrow",
        "async def _read_storage_arrow(self, source, *, file_format, storage_options=None)",
    ),
]


def test_the_adapter_uses_no_private_name_that_has_no_guard():
    guarded = {guard.name for guard in GUARDS}
    assert [use for use in private_uses() if use.name not in guarded] == []


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_adapter_uses_the_private_name_that_is_guarded(guard):
    assert guard.name in {use.name for use in private_uses()}


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_upstream_defines_the_private_name_as_the_adapter_knows_it(guard):
    assert definition(guard.where) == guard.definition


@pytest.mark.parametrize(
    ("name", "module"),
    [(guard.name, module) for guard in GUARDS for module in guard.used_in],
)
def test_upstream_still_uses_the_private_name(name, module):
    tree = tree_of(importlib.import_module(module))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert name.rpartition(".")[2] in names


async def test_create_pool_and_close_pool_call_the_hooks_of_the_config():
    calls = []

    class Config(PsqlpyConfig):
        async def _create_pool(self) -> Any:
            calls.append("created")
            return object()

        async def _close_pool(self) -> None:
            calls.append("closed")

    config = Config(connection_config={"dsn": "postgresql://nowhere.invalid/x"})
    pool = await config.create_pool()
    assert await config.provide_pool() is pool
    await config.close_pool()
    assert calls == ["created", "closed"]


async def test_an_error_in_a_handler_goes_through_the_hook_of_the_handler():
    seen = []

    class Handler(PsqlpyExceptionHandler):
        def _handle_exception(self, kind: Any, error: BaseException) -> bool:
            seen.append((kind, str(error)))
            return True

    async with Handler():
        raise LookupError("x")
    assert seen == [(LookupError, "x")]


@pytest.mark.parametrize("name", ["x; SELECT 1", "", "a b", '"'])
def test_a_savepoint_name_that_is_no_identifier_is_refused(name):
    validate = importlib.import_module(COMMON).validate_savepoint_name
    with pytest.raises(TransactionError):
        validate(name)


RESULTS = "sqlspec.core.result._base"


@pytest.mark.parametrize(
    ("where", "head"),
    [
        (
            f"{RESULTS}:SQLResult.create_cached_select",
            "def create_cached_select(cls, sql, config, cached_state, compiled_sql, params, data, "
            "column_names, rows_affected, row_format='dict', last_inserted_id=None)",
        ),
        (
            f"{RESULTS}:DMLResult.__init__",
            "def __init__(self, op_type, rows_affected=0, last_inserted_id=None)",
        ),
    ],
)
def test_sqlspec_makes_results_as_the_adapter_does(where, head):
    """Their names have no underscore, but SQLSpec documents neither."""
    assert definition(where) == head


def test_sqlresult_has_no_first_of_its_own():
    """The adapter puts one on it; it need not any longer when this fails."""
    with pytest.raises(AssertionError, match="gone"):
        definition(f"{RESULTS}:SQLResult.first")


async def test_the_results_of_the_stock_adapter_stay_without_first(dsn):
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    async with config.provide_session() as session:
        result = await session.execute("SELECT 1 AS one")
    await config.close_pool()
    assert result.get_first() == {"one": 1}
    assert not hasattr(result, "first")


def test_an_event_backend_is_found_by_the_module_of_the_config_class():
    hints = importlib.import_module("sqlspec.extensions.events._hints")
    inside = type("C", (), {"__module__": "sqlspec.adapters.psqlpy.config"})()
    outside = type("C", (), {"__module__": "psqlpy_adapter.config"})()
    assert hints.resolve_adapter_name(inside) == "psqlpy"
    assert hints.resolve_adapter_name(outside) is None


def test_the_bundled_config_class_says_that_it_is_of_sqlspecs_psqlpy_adapter():
    config = psqlpy_adapter.PsqlpyConfig
    assert config.__module__ == "sqlspec.adapters.psqlpy.config"
    assert config.__name__ == "PsqlpyConfig"
