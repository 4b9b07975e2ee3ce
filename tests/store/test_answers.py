"""A provider's answers: each row gets its own, and only while the claim is still ours."""

from __future__ import annotations

from typing import Any

from leadmagnet import store
from leadmagnet.domain.status import DeliveryStatus


def test_each_row_gets_its_own_answer(ledger: Any) -> None:
    rows = [ledger.due(person) for person in ledger.people(3)]
    ledger.claim()
    told = {row: ("smtp", f"250 2.0.0 it's “{number}” \\ {{taken}}") for number, row in enumerate(rows)}
    done = ledger.do(store.answers.settle, "mine", told, status=DeliveryStatus.SENT, sent_at=ledger.at)
    assert done == set(rows)
    for row in rows:
        found = ledger.row(row)
        assert (found.status, found.provider, found.provider_id, found.sent_at) == ("sent", *told[row], ledger.at)


def test_an_answer_to_a_lost_claim_changes_nothing(ledger: Any) -> None:
    mine, lost = (ledger.due(person) for person in ledger.people(2))
    ledger.claim()
    ledger.do(store.claims.reopen, lost, DeliveryStatus.CLAIMED, "mine")
    told = {mine: ("smtp", "one"), lost: ("sendgrid", "two")}
    assert ledger.do(store.answers.settle, "mine", told, status=DeliveryStatus.SENT) == {mine}
    assert (ledger.row(lost).status, ledger.row(lost).provider_id) == ("due", "")
    assert ledger.do(store.answers.settle, "mine", told, status=DeliveryStatus.FAILED) == set()
    assert ledger.do(store.answers.settle, "mine", {}, status=DeliveryStatus.FAILED) == set()
    assert ledger.row(mine).status == "sent"
