"""Fail-over: a whole refusal moves on, anything else stays."""

import pytest

from leadmagnet.domain.message import MailError, Outcome
from leadmagnet.mail import Failover, Outbox, SendGridMailer, SmtpMailer, has_evidence_from


@pytest.fixture
def second(memory):
    return type(memory)()


@pytest.fixture
def pair(memory, second):
    memory.name, second.name = "first", "second"
    return Failover([memory, second])


def test_the_first_one_is_enough(pair, memory, second, batch, letter):
    assert [result.outcome for result in pair.send(batch(letter("d1")))] == [Outcome.SENT]
    assert (len(memory.sent), len(second.sent)) == (1, 0)


@pytest.mark.parametrize("permanent", [True, False])
def test_a_refusal_of_the_whole_moves_on(pair, memory, second, batch, letter, permanent):
    memory.refusal = MailError("no", permanent=permanent)
    assert [result.outcome for result in pair.send(batch(letter("d1")))] == [Outcome.SENT]
    assert len(second.sent) == 1


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.RETRY, Outcome.REJECTED])
def test_single_outcomes_never_move_on(pair, memory, second, batch, letter, outcome):
    memory.answers["d1"] = outcome
    assert [result.outcome for result in pair.send(batch(letter("d1")))] == [outcome]
    assert second.sent == []


def test_when_all_refuse_it_is_permanent_only_if_all_are(pair, memory, second, batch, letter):
    memory.refusal = MailError("key", permanent=True, retry_after=1)
    second.refusal = MailError("busy", permanent=False, retry_after=7)
    with pytest.raises(MailError, match="key; busy") as caught:
        pair.send(batch(letter("d1")))
    assert (caught.value.permanent, caught.value.retry_after) == (False, 7)
    second.refusal = MailError("sender", permanent=True)
    with pytest.raises(MailError) as caught:
        pair.send(batch(letter("d1")))
    assert (caught.value.permanent, caught.value.retry_after) == (True, None)


def test_it_describes_itself(memory, tmp_path):
    pair = Failover([memory, Outbox(tmp_path)])
    assert (pair.name, pair.batch_size, pair.has_evidence) == ("memory,outbox", 500, True)
    with pytest.raises(ValueError, match="at least one"):
        Failover([])


def test_evidence_is_asked_of_the_provider_that_left_a_letter_unknown(tmp_path):
    sendgrid, smtp = SendGridMailer("SG.x"), SmtpMailer("smtp://127.0.0.1:1")
    pair = Failover([sendgrid, smtp])
    assert has_evidence_from(pair, "sendgrid")
    assert not has_evidence_from(pair, "smtp")
    assert has_evidence_from(pair, ""), "nobody knows which one it was"
    assert has_evidence_from(Outbox(tmp_path), "outbox")
    assert not has_evidence_from(smtp, "smtp")
    assert pair.mailers == (sendgrid, smtp)
    pair.close()


def test_taken_asks_all(pair, memory, second, batch, letter):
    assert pair.taken("d1") is False
    second.send(batch(letter("d1")))
    assert pair.taken("d1") is True
    memory.taken = lambda _delivery_id: None
    assert pair.taken("d1") is True
    assert pair.taken("d2") is None
