"""Alive and ready: what is wrong is named, and the host name does not matter to machines that ask."""

import pytest
from sqlalchemy import text

from leadmagnet import store
from leadmagnet.web import health


@pytest.fixture
def working(site):
    with store.writing(site.services.engine) as session:
        store.leases.take(session, "worker", "me", site.clock.real, 30)
    return site


def test_alive(site):
    assert site.get("/healthz").data == b"ok\n"
    assert site.get("/healthz", base_url="http://10.0.0.7").status_code == 200


def test_ready(working):
    answer = working.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"ready": True, "problems": {}})


def test_a_worker_that_never_ran_is_reported_and_the_form_goes_on(site):
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["problems"] == {"worker": "has never run"}
    assert site.sign_up().status_code == 303


def test_a_silent_worker_is_reported(working):
    working.clock.move(minutes=10)
    assert working.get("/readyz").json["problems"]["worker"] == "last seen 600 seconds ago"


def test_another_migration_than_the_program_s_is_reported(working, monkeypatch, tmp_path):
    (tmp_path / "0001_first.py").write_text('revision = "0001"\ndown_revision = None\n', encoding="utf-8")
    (tmp_path / "0002_second.py").write_text('revision: str = "0002"\ndown_revision: str = "0001"\n', encoding="utf-8")
    monkeypatch.setattr(health, "MIGRATIONS", tmp_path)
    with working.services.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = working.get("/readyz")
    assert answer.status_code == 503
    assert "['0001']" in answer.json["problems"]["migrations"]
    with working.services.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    assert working.get("/readyz").status_code == 200


def test_a_database_that_is_not_there_is_reported_without_its_address(site):
    store.leases.Lease.__table__.drop(site.services.engine)
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["problems"] == {"database": "cannot be read: OperationalError"}


def test_robots_keep_away_from_keys(site):
    rules = site.get("/robots.txt").text
    for path in ("/u/", "/p/", "/v/", "/confirm/", "/done/", "/outbox/", "/admin/"):
        assert f"Disallow: {path}" in rules


def test_only_these_two_answer_under_any_host(working):
    strange = {"base_url": "http://10.0.0.7"}
    answers = {path: working.get(path, **strange).status_code for path in ("/healthz", "/readyz", "/", "/metrics")}
    assert answers == {"/healthz": 200, "/readyz": 200, "/": 400, "/metrics": 400}
