"""What came back is shown where the clinic looks: the brake, what was refused for our sake, a mailbox that is full."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from leadmagnet import store
from leadmagnet.clock import real_now
from leadmagnet.services import Services
from leadmagnet.store.outcomes import Told, slot_of
from leadmagnet.store.subscribers import Subscriber


def test_the_brake_and_refusals_are_shown_and_a_person_lets_it_go_on(parts: Services, desk: Any) -> None:
    now = parts.clock.now().real
    with store.writing(parts.engine) as session:
        store.outcomes.sent(session, 1234, now)
        counts = {"blocked": Told(7, "550 5.7.1 <listed>"), "complained": Told(4, ""), "bounced_hard": Told(9, "")}
        store.outcomes.add(session, {(slot_of(now), what): told for what, told in counts.items()})
        assert store.halts.brake(session, "4 of 1,234 emails were marked as spam.", now)
    desk.sign_in("editor")
    for path in ("/admin/", "/admin/sending"):
        page = desk.get(path).text
        assert re.search("stopped by itself|By itself", page)
        assert "marked as spam" in page
    page = desk.get("/admin/sending").text
    assert "1,234" in page
    assert "550 5.7.1 &lt;listed&gt;" in page
    assert "7 emails of the last day were refused" in desk.get("/admin/").text
    desk.post("/admin/sending/go")
    assert "stopped by itself" not in desk.get("/admin/").text
    assert "1,234" not in desk.get("/admin/sending").text, "what left before counts no more"


def test_a_full_mailbox_is_told_and_the_clinic_may_write_again(parts: Services, desk: Any) -> None:
    with store.writing(parts.engine) as session:
        person = Subscriber(
            email="full@example.org", email_canonical="full@example.org", status="active", timezone="UTC",
            created_at=real_now() - timedelta(days=9), unreachable_at=real_now(),
        )  # fmt: skip
        session.add(person)
    desk.sign_in("editor")
    page = f"/admin/subscribers/{person.id}"
    assert "Five emails in a row came back" in desk.get(page).text
    assert desk.post(f"{page}/resume").status_code == 303
    assert "Five emails in a row came back," not in desk.get(page).text
    assert "Emails go on: the mailbox takes them again" in desk.get(page).text
