"""The event channels of SQLSpec's adapter go on working on both adapters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from sqlspec import SQLSpec
from sqlspec.exceptions import SQLSpecError
from sqlspec.extensions.events import EventMessage
from sqlspec.migrations.commands import AsyncMigrationCommands

LIMIT = 20  # seconds that an event may take before the test gives up
QUEUES = ["poll_queue", "notify_queue"]
BACKENDS = ["notify", *QUEUES]


@pytest.fixture
def registry() -> SQLSpec:
    return SQLSpec()


@pytest.fixture
async def open_channel(
    make_config, tmp_path, registry
) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Open an event channel on a backend; its queue table, if any, is made by the migrations."""
    async with AsyncExitStack() as stack:

        async def open_channel(backend: str, **settings: Any) -> Any:
            config = make_config(
                migration_config={
                    "script_location": str(tmp_path / "migrations"),
                    "include_extensions": ["events"],
                },
                extension_config={"events": {"backend": backend, **settings}},
            )
            if backend != "notify":
                (tmp_path / "migrations").mkdir(exist_ok=True)
                await AsyncMigrationCommands(config).upgrade()
            registry.add_config(config)
            channel = registry.event_channel(config)
            stack.push_async_callback(channel.shutdown)
            return channel

        yield open_channel


class Consumer:
    """A task that collects the events of a channel as they come, until it gets a last one.

    It is never cancelled: a statement of the stock adapter that is cancelled can crash Python.
    """

    def __init__(self, channel: Any, name: str) -> None:
        self.channel = channel
        self.name = name
        self.messages: asyncio.Queue[EventMessage] = asyncio.Queue()
        self.task = asyncio.ensure_future(self.consume())

    async def consume(self) -> None:
        async for message in self.channel.iter_events(self.name, poll_interval=0.05):
            if message.payload == {"stop": True}:
                return
            await self.messages.put(message)

    async def next(self) -> EventMessage:
        """The next event that is no probe; a durable queue may deliver those late."""
        async with asyncio.timeout(LIMIT):
            while "probe" in (message := await self.messages.get()).payload:
                pass
        return message

    async def stop(self) -> None:
        if not self.task.done():
            with suppress(SQLSpecError):
                await self.channel.publish(self.name, {"stop": True})
        ended, _ = await asyncio.wait([self.task], timeout=LIMIT)
        assert ended, "the consumer does not end"
        await self.task


@pytest.fixture
async def consume() -> AsyncIterator[Callable[[Any, str], Awaitable[Consumer]]]:
    """Start a consumer of a channel, and wait until it gets what is published."""
    async with AsyncExitStack() as stack:

        async def consume(channel: Any, name: str) -> Consumer:
            consumer = Consumer(channel, name)
            stack.push_async_callback(consumer.stop)
            async with asyncio.timeout(LIMIT):
                while consumer.messages.empty():
                    await channel.publish(name, {"probe": True})
                    await asyncio.wait([consumer.task], timeout=0.05)
                await channel.publish(name, {"probe": "last"})
                while (await consumer.messages.get()).payload != {"probe": "last"}:
                    pass
            return consumer

        yield consume


async def first(channel: Any, name: str) -> EventMessage:
    """The next event of a queue."""
    async for message in channel.iter_events(name, poll_interval=0.05):
        return message
    raise AssertionError("the channel was closed")


@pytest.mark.parametrize("backend", BACKENDS)
async def test_the_channel_has_the_backend_that_is_asked_for(open_channel, backend):
    assert (await open_channel(backend)).backend_name == backend


@pytest.mark.parametrize("backend", BACKENDS)
async def test_an_event_arrives_with_its_payload_and_metadata(open_channel, consume, backend):
    channel = await open_channel(backend)
    consumer = await consume(channel, "orders")
    identifier = await channel.publish("orders", {"id": 7, "tags": ["a", None]}, {"by": "test"})
    message = await consumer.next()
    assert (message.event_id, message.channel) == (identifier, "orders")
    assert (message.payload, message.metadata) == ({"id": 7, "tags": ["a", None]}, {"by": "test"})


@pytest.mark.parametrize("backend", BACKENDS)
async def test_events_arrive_in_the_order_of_their_publication(open_channel, consume, backend):
    channel = await open_channel(backend)
    consumer = await consume(channel, "orders")
    for number in range(5):
        await channel.publish("orders", {"number": number})
    assert [(await consumer.next()).payload["number"] for _ in range(5)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("backend", BACKENDS)
async def test_events_are_published_in_one_go(open_channel, consume, backend):
    channel = await open_channel(backend)
    consumer = await consume(channel, "orders")
    identifiers = await channel.publish_many(
        [("orders", {"number": 1}, None), ("orders", {"number": 2}, {"by": "test"})]
    )
    messages = [await consumer.next() for _ in range(2)]
    assert [message.event_id for message in messages] == identifiers
    assert messages[1].metadata == {"by": "test"}


@pytest.mark.parametrize("backend", BACKENDS)
async def test_an_event_of_another_channel_does_not_arrive(open_channel, consume, backend):
    channel = await open_channel(backend)
    consumer = await consume(channel, "orders")
    await channel.publish("invoices", {"for": "others"})
    await channel.publish("orders", {"for": "us"})
    assert (await consumer.next()).payload == {"for": "us"}


@pytest.mark.parametrize("backend", ["notify", "notify_queue"])
async def test_a_handler_is_called_for_each_event(open_channel, backend, adapter):
    if (adapter.name, backend) == ("stock", "notify_queue"):
        pytest.skip("stop_listener() cancels a statement, which can crash Python on this adapter")
    channel = await open_channel(backend)
    received: asyncio.Queue[EventMessage] = asyncio.Queue()
    listener = channel.listen("orders", received.put, poll_interval=0.05)
    async with asyncio.timeout(LIMIT):
        while received.empty():
            await channel.publish("orders", {"number": 1})
            await asyncio.wait([listener.task], timeout=0.05)
    await channel.stop_listener(listener.id)
    assert (await received.get()).payload == {"number": 1}
    assert listener.task.done()


async def test_two_listeners_of_a_channel_both_get_each_notification(open_channel, consume):
    channel = await open_channel("notify")
    one = await consume(channel, "orders")
    two = await consume(channel, "orders")
    await channel.publish("orders", {"number": 7})
    for consumer in (one, two):
        assert (await consumer.next()).payload == {"number": 7}


async def test_a_notification_of_plain_sql_wakes_nobody_up_wrongly(open_channel, consume, config):
    channel = await open_channel("notify")
    consumer = await consume(channel, "orders")
    async with config.provide_session() as session:
        await session.execute("SELECT pg_notify('others', '{}')")
    await channel.publish("orders", {"number": 1})
    assert (await consumer.next()).payload == {"number": 1}


async def test_a_notification_that_is_too_long_is_an_sqlspec_error(open_channel):
    channel = await open_channel("notify")
    with pytest.raises(SQLSpecError):
        await channel.publish("orders", {"text": "x" * 9000})


async def test_the_notify_backend_leaves_the_rest_of_the_pool_to_sessions(
    open_channel, consume, config
):
    channel = await open_channel("notify")
    await consume(channel, "orders")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT count(*) FROM users") == 3


@pytest.mark.parametrize("backend", QUEUES)
async def test_an_event_waits_in_the_queue_for_a_consumer(open_channel, backend):
    channel = await open_channel(backend)
    identifier = await channel.publish("orders", {"number": 1})
    assert (await first(channel, "orders")).event_id == identifier


@pytest.mark.parametrize("backend", QUEUES)
async def test_an_acknowledged_event_is_marked_so(open_channel, config, backend):
    channel = await open_channel(backend, queue_table="own_queue")
    identifier = await channel.publish("orders", {"number": 1})
    message = await first(channel, "orders")
    await channel.ack(message.event_id)
    assert (await row_of(config, identifier))["status"] == "acked"


@pytest.mark.parametrize("backend", QUEUES)
async def test_an_event_that_was_given_back_is_delivered_again(open_channel, config, backend):
    channel = await open_channel(backend, queue_table="own_queue")
    identifier = await channel.publish("orders", {"number": 1})
    await channel.nack((await first(channel, "orders")).event_id)
    row = await row_of(config, identifier)
    assert (row["status"], row["attempts"]) == ("pending", 1)
    again = await first(channel, "orders")
    assert again.event_id == identifier
    assert (await row_of(config, identifier))["attempts"] == 2


async def test_each_queued_event_is_delivered_once(open_channel):
    channel = await open_channel("poll_queue")
    published = {await channel.publish("orders", {"number": i}) for i in range(5)}
    received = []
    for _ in published:
        message = await first(channel, "orders")
        await channel.ack(message.event_id)
        received.append(message.event_id)
    assert sorted(received) == sorted(published)


async def test_two_consumers_of_a_queue_share_its_events(open_channel):
    channel = await open_channel("poll_queue")
    published = {await channel.publish("orders", {"number": i}) for i in range(10)}

    async def work(count: int) -> list[str]:
        return [(await first(channel, "orders")).event_id for _ in range(count)]

    one, two = await asyncio.gather(work(5), work(5))
    assert len(one + two) == 10
    assert set(one + two) == published


async def test_publishing_and_acknowledging_are_counted(open_channel, registry):
    channel = await open_channel("poll_queue")
    await channel.publish("orders", {"number": 1})
    await channel.ack((await first(channel, "orders")).event_id)
    counters = registry.telemetry_snapshot()
    assert counters["PsqlpyConfig.events.publish"] == 1
    assert counters["PsqlpyConfig.events.ack"] == 1


async def test_a_channel_works_again_after_its_shutdown(open_channel, consume):
    channel = await open_channel("notify")
    consumer = await consume(channel, "orders")
    await consumer.stop()
    await channel.shutdown()
    again = await consume(channel, "orders")
    await channel.publish("orders", {"number": 2})
    assert (await again.next()).payload == {"number": 2}


async def row_of(config: Any, event_id: str) -> dict[str, Any]:
    async with config.provide_session() as session:
        return await session.select_one(
            "SELECT status, attempts FROM own_queue WHERE event_id = :id", {"id": event_id}
        )
