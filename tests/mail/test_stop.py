"""All sending is stopped while a batch is in hand: what is begun may finish, nothing else begins, in every mailer."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from leadmagnet.domain.message import Outcome
from leadmagnet.mail import Failover, SmtpMailer

SENT, UNTRIED, REJECTED = Outcome.SENT, Outcome.UNTRIED, Outcome.REJECTED


class Switch:
    """Lets so many letters begin."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def __call__(self) -> bool:
        self.looks -= 1
        return self.looks >= 0


def outcomes(results) -> list[Outcome]:
    return [result.outcome for result in results]


def test_stopped_before_the_first_letter(rig, letter, batch):
    stopped = batch(letter("d1"), letter("d2"), may_begin=lambda: False)
    assert outcomes(rig.mailer.send(stopped)) == [UNTRIED, UNTRIED]
    assert rig.received() == []
    assert outcomes(rig.mailer.send(batch(letter("d1"), letter("d2")))) == [SENT, SENT]


def test_between_two_requests_of_a_batch(sendgrid, sendgrid_key, letter, batch):
    from leadmagnet.mail import SendGridMailer

    twice = [letter(name, to_email="same@reader.example") for name in ("d1", "d2")]
    results = SendGridMailer(sendgrid_key, sendgrid.url, 2).send(batch(*twice, may_begin=Switch(1)))
    assert outcomes(results) == [SENT, UNTRIED]
    assert len(sendgrid.requests) == 1


@pytest.mark.parametrize("looks", range(1, 9))
@pytest.mark.parametrize("offers", [("PIPELINING",), ("8BITMIME",)])
def test_smtp_stops_at_any_look(letter, batch, looks, offers):
    """Whatever was not handed over in whole has not arrived, and costs its letter nothing."""
    server = load_server().PipeliningServer(*offers)
    mailer = SmtpMailer(server.url, timeout=2, most_connections=1)
    try:
        results = mailer.send(batch(*(letter(f"d{number}") for number in range(4)), may_begin=Switch(looks)))
        taken = {recipient for recipient, _ in server.received}
        assert set(outcomes(results)) <= {SENT, UNTRIED}
        assert {f"{one.delivery_id}@reader.example" for one in results if one.outcome is SENT} == taken
        if UNTRIED in outcomes(results):
            rest = [letter(one.delivery_id) for one in results if one.outcome is UNTRIED]
            assert set(outcomes(mailer.send(batch(*rest)))) == {SENT}, "and it goes on afterwards"
        assert len(server.received) == 4
    finally:
        mailer.close()
        server.close()


def load_server():
    spec = importlib.util.spec_from_file_location("stop_server", Path(__file__).parent / "pipelining_server.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_stop_moves_nothing_on_to_the_second(memory, closed_port, letter, batch):
    pair = Failover([SmtpMailer(f"smtp://127.0.0.1:{closed_port}"), memory])
    results = pair.send(batch(letter("d1"), may_begin=lambda: False))
    assert (outcomes(results), memory.sent) == ([UNTRIED], [])
