"""A queue on Redis or RabbitMQ as we use it: messages that are never retried and answer nothing.

None of Dramatiq's middleware is loaded: retries are the ledger's business, and results are in the database.
Must not know: what the work is.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import dramatiq
import pika
import redis
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError
from dramatiq.worker import Worker

NAMESPACE = "leadmagnet"
#: What goes wrong when a broker is away.
AWAY = (BrokerConnectionError, redis.RedisError, pika.exceptions.AMQPError, OSError)
#: Redis: after how long the messages that a dead process held are given to others (milliseconds), and how many fetches
#: in a million look for such. RabbitMQ gives them back when the connection ends.
DEAD_AFTER, LOOKS = 15_000, 20_000
#: How long a thread waits for a message before it looks again whether it should stop (milliseconds).
WAIT = 250


class BrokerAway(ConnectionError):
    """The broker does not answer, or did not take a message."""


def split(url: str) -> tuple[str, str]:
    """Return the broker's address without our own part, and the namespace named in `?namespace=`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    namespace = query.pop("namespace", NAMESPACE)
    return urlunsplit(parts._replace(query=urlencode(query))), namespace


def connect(url: str) -> RedisBroker | RabbitmqBroker:
    """Return the broker at an address. Nothing is connected to before it is used."""
    address, namespace = split(url)
    if urlsplit(url).scheme.startswith("redis"):
        client = redis.Redis.from_url(address, socket_connect_timeout=3, socket_timeout=5)
        return RedisBroker(
            client=client, namespace=namespace, middleware=[], heartbeat_timeout=DEAD_AFTER, maintenance_chance=LOOKS
        )
    # Confirmed: a message that the broker did not take is noticed at once and not only when its lease is over.
    return RabbitmqBroker(url=address, middleware=[], confirm_delivery=True)


class Queue:
    """One queue, with the kinds of messages in it. The leader puts them in, and threads everywhere take them out."""

    def __init__(self, url: str, name: str) -> None:
        """Take the broker's address and the queue's name inside our namespace."""
        self._broker = connect(url)
        self._name = f"{split(url)[1]}-{name}"
        self._actors: dict[str, dramatiq.Actor[..., None]] = {}

    def serve(self, kind: str, work: Callable[..., None], priority: int = 0) -> None:
        """Let a function do the work of the messages of a kind; a lower priority comes first."""
        declare = dramatiq.actor(actor_name=kind, queue_name=self._name, priority=priority, broker=self._broker)
        self._actors[kind] = declare(work)

    def worker(self, threads: int) -> Worker:
        """Return threads that take messages, not yet started."""
        return Worker(self._broker, worker_threads=threads, worker_timeout=WAIT)

    def put(self, kind: str, *args: str) -> None:
        """Put in a message. Raises BrokerAway."""
        try:
            self._actors[kind].send(*args)
        except AWAY as error:
            self._drop()
            raise BrokerAway(type(error).__name__) from error

    def reach(self) -> None:
        """Raise BrokerAway where the broker does not answer. Keeps a connection to RabbitMQ alive, too."""
        try:
            if isinstance(self._broker, RedisBroker):
                self._broker.client.ping()
            else:
                self._broker.connection.process_data_events(0)
        except AWAY as error:
            self._drop()
            raise BrokerAway(type(error).__name__) from error

    def close(self) -> None:
        """Close the connections. One that is broken is as good as closed."""
        self._broker.close()
        if isinstance(self._broker, RedisBroker):
            self._broker.client.close()

    def _drop(self) -> None:
        """Forget this thread's connection to RabbitMQ; Redis' client finds a new one by itself."""
        if isinstance(self._broker, RabbitmqBroker):
            del self._broker.connection
