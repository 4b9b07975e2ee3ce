"""The broker as we use it, Redis or RabbitMQ: two queues, three kinds of message, none of which is ever retried.

Nothing of Dramatiq's middleware is loaded: retries are the ledger's business, and results are in the database.
Must not know: what the work is.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import dramatiq
import pika
import redis
import structlog
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError

log = structlog.get_logger(__name__)

NAMESPACE = "leadmagnet"
#: What goes wrong when a broker is away.
AWAY = (BrokerConnectionError, redis.RedisError, pika.exceptions.AMQPError, OSError)
#: Redis: after how long the messages that a dead process held are given to others (milliseconds), and how many fetches
#: in a million look for such. RabbitMQ gives them back when the connection ends.
DEAD_AFTER, LOOKS = 15_000, 20_000


class BrokerAway(ConnectionError):
    """The broker did not take a message."""


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
    """Where the leader puts messages and the workers' threads find them."""

    def __init__(self, url: str) -> None:
        """Take the broker's address."""
        self.broker = connect(url)
        namespace = split(url)[1]
        self.answers, self.letters = f"{namespace}-answers", f"{namespace}-letters"
        self._actors: dict[str, dramatiq.Actor[..., None]] = {}
        self._away = False

    def serve(self, name: str, queue: str, work: Callable[..., None], priority: int = 0) -> None:
        """Let a function do the work of the messages with this name; a lower priority comes first in its queue."""
        declare = dramatiq.actor(actor_name=name, queue_name=queue, priority=priority, broker=self.broker)
        self._actors[name] = declare(work)

    def put(self, name: str, *args: str) -> None:
        """Put a message into the queue of those that do this work. Raises BrokerAway."""
        try:
            self._actors[name].send(*args)
        except AWAY as error:
            self._lost(error)
            raise BrokerAway(type(error).__name__) from error

    def reach(self) -> bool:
        """Say whether the broker answers. Says so in the log once when that changes."""
        try:
            if isinstance(self.broker, RedisBroker):
                self.broker.client.ping()
            else:
                self.broker.connection.process_data_events(0)
        except AWAY as error:
            self._lost(error)
            return False
        if self._away:
            log.info("broker reached again")
        self._away = False
        return True

    def close(self) -> None:
        """Close the connections of this thread."""
        try:
            self.broker.close()
        except AWAY:
            log.info("broker was away at the end")

    def _lost(self, error: Exception) -> None:
        if isinstance(self.broker, RabbitmqBroker):
            del self.broker.connection
        if not self._away:
            log.warning("broker not reached, trying again", error=type(error).__name__)
        self._away = True
