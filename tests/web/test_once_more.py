"""A form whose transaction meets another one's is handled once more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from leadmagnet import store
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.store.activities import Activity
from leadmagnet.store.deliveries import Delivery


class Deadlock(Exception):
    """What PostgreSQL says, as far as anybody asks for it."""

    sqlstate = "40P01"


def until_waiting(connection: Connection) -> None:
    """Wait until somebody waits for a lock of this connection's."""
    mine = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
    for _ in range(500):
        if connection.execute(mine).scalar():
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.mark.postgres
def test_who_leaves_while_the_worker_holds_their_emails_sees_no_error(make_site: Any, postgres_url: str) -> None:
    site = make_site(database_url=postgres_url)
    person = site.person(sent=1)
    at = site.clock.course
    with store.writing(site.services.engine) as session:
        session.add(Delivery(subscriber_id=person.id, kind=DeliveryKind.REMINDER, created_at=at, due_at=at, lane=1))
    answers: list[TestResponse] = []
    leaves = threading.Thread(target=lambda: answers.append(site.client.post(site.leave(person))))
    with capture_logs() as logs:
        with site.services.engine.begin() as worker:
            worker.execute(text("UPDATE delivery SET detail = 'in hand' WHERE status = 'due'"))
            leaves.start()
            until_waiting(worker)
            # Now each waits for the other; PostgreSQL undoes who has waited for longer.
            worker.execute(text("UPDATE subscriber SET first_name = 'Anne'"))
        leaves.join(30)
    assert [answer.status_code for answer in answers] == [200]
    assert (site.again(person).status, site.again(person).first_name) == ("unsubscribed", "Anne")
    assert [(one["event"], one["number"]) for one in logs if "undone" in one["event"]] == [
        ("undone by another transaction, done once more", 2)
    ]


def failing(site: Any, errors: list[Exception]) -> Callable[[], str]:
    """Add a page that fails with each of these, and works then; return the tries so far."""
    tries: list[str] = []

    @site.app.post("/troubled")
    def troubled() -> str:
        tries.append("try")
        if len(tries) <= len(errors):
            raise errors[len(tries) - 1]
        return "done"

    return lambda: f"{len(tries)}"


def undone() -> OperationalError:
    return OperationalError("UPDATE", {}, Deadlock())


def test_what_was_kept_is_not_done_twice(site: Any) -> None:
    """The second transaction of a request is undone; the first is there, and nobody may do it again."""
    person, tries = site.person(), []

    @site.app.post("/two")
    def two() -> str:
        tries.append("try")
        with store.writing(site.services.engine) as session:
            store.activities.add(session, person.id, site.clock.course, "note")
        raise undone()

    token = site.hidden("/").get("csrf_token", "")
    assert site.client.post("/two", headers={"X-CSRFToken": token}).status_code == 500
    assert (tries, len(site.rows(Activity))) == (["try"], 1)


@pytest.mark.parametrize(
    ("errors", "sent", "status", "tries"),
    [
        ([undone()], {"data": {"a": "b"}}, 200, "2"),
        ([undone(), undone()], {}, 200, "3"),
        ([undone(), undone(), undone()], {}, 500, "3"),
        ([undone()], {"json": {"a": "b"}}, 500, "1"),
        ([OperationalError("UPDATE", {}, Exception("the server has gone"))], {}, 500, "1"),
        ([undone(), ValueError("of another kind")], {}, 500, "2"),
    ],
    ids=["a form", "twice", "three times", "a body that may be gone", "a database that is away", "another error then"],
)
def test_how_often(site: Any, errors: list[Exception], sent: dict[str, Any], status: int, tries: str) -> None:
    count = failing(site, errors)
    token = site.hidden("/").get("csrf_token", "")
    sent = {"headers": {"X-CSRFToken": token}} | sent
    answer = site.client.post("/troubled", **sent)
    assert (answer.status_code, count()) == (status, tries)
    assert status == 200 or "Something went wrong on our side" in answer.text
