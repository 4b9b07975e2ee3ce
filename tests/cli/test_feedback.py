"""suppressions list, export, import; feedback bounce, feedback mailbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

DELIVERY, LEAVE = "delivery-number-one-x", "leave-id-of-number-one"
BOUNCE = (
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\nStatus: 5.1.1\n\n"
    f"--b\nContent-Type: text/rfc822-headers\n\nX-Leadmagnet-Delivery: {DELIVERY}\n--b--\n"
)


@pytest.fixture
def people(shell: Any, hand_clock: Any) -> Any:
    """Two active people, one with an email out."""
    at = hand_clock.course
    with store.writing(shell.services.engine) as session:
        for email, leave_id in (("anna@example.org", LEAVE), ("berta@example.org", "leave-id-of-number-two")):
            columns = {"email": email, "email_canonical": email, "status": "active", "timezone": "UTC"}
            session.add(Subscriber(**columns, created_at=at, leave_id=leave_id))
        session.flush()
        person = store.subscribers.by_canonical(session, "anna@example.org")
        assert person is not None
        row = {"subscriber_id": person.id, "kind": "reminder", "created_at": at, "due_at": at, "provider": "smtp"}
        session.add(Delivery(**row, public_id=DELIVERY, status="sent"))
    return shell


def status(shell: Any, email: str = "anna@example.org") -> str:
    return str(shell.json("subscribers", "show", email)["status"])


def written(folder: Path, text: str) -> str:
    file = folder / "stopped.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_bounce_from_a_pipe_stops_its_person(people: Any) -> None:
    result = people.run("feedback", "bounce", "--json", stdin=BOUNCE)
    assert result.stdout == '{"taken":"bounce"}\n'
    assert (status(people), status(people, "berta@example.org")) == ("bounced", "active")
    assert people.json("suppressions", "list") == {"bounced": 1}
    found = people.json("suppressions", "list", "Anna@Example.org")
    assert (found["suppressed"], found["reason"]) == (True, "bounced")
    assert people.json("suppressions", "list", "berta@example.org")["suppressed"] is False


def test_who_has_called_may_sign_up_again(people: Any) -> None:
    people.run("feedback", "bounce", stdin=BOUNCE)
    assert people.json("suppressions", "lift", "Anna@Example.org") == {"lifted": True}
    assert status(people) == "unsubscribed"
    assert people.json("suppressions", "list") == {}
    assert people.run("suppressions", "lift", "anna@example.org").stdout == "Nothing kept it out.\n"
    refused = people.run("suppressions", "lift", "anna", status=1)
    assert "anna" in refused.stderr


def test_a_wish_to_leave_and_anything_else_from_a_pipe(people: Any) -> None:
    assert "Nothing that counts" in people.run("feedback", "bounce", stdin="Subject: hello\n\nBerta").stdout
    assert status(people) == "active"
    assert "have stopped" in people.run("feedback", "bounce", stdin=f"Subject: unsubscribe {LEAVE}\n\n").stdout
    assert status(people) == "unsubscribed"
    assert "no email" in people.refused("feedback", "bounce", status=2, stdin="")
    assert "IMAP_URL is not set" in people.refused("feedback", "mailbox", status=2)


def test_what_is_exported_comes_back_elsewhere_and_stops_people(people: Any, tmp_path: Path) -> None:
    people.run("feedback", "bounce", stdin=BOUNCE)
    file = tmp_path / "list.csv"
    people.run("suppressions", "export", "--to", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8")
    assert people.run("suppressions", "export").stdout.splitlines() == text.splitlines()
    assert "anna" not in text
    assert "@" not in text
    with store.writing(people.services.engine) as session:
        session.query(store.suppressions.Suppression).delete()
        session.query(Subscriber).filter_by(email="anna@example.org").update({"status": "active", "left_at": None})
    done = people.json("suppressions", "import", str(file))
    assert done == {"read": 1, "created": 1, "unchanged": 0, "stopped": 1, "rejected": 0, "rejects_file": None}
    assert status(people) == "bounced"
    again = people.json("suppressions", "import", str(file))
    assert (again["created"], again["unchanged"], again["stopped"]) == (0, 1, 0)
    assert people.run("suppressions", "export").stdout.splitlines() == text.splitlines()


def test_an_import_takes_addresses_and_says_what_it_could_not_take(people: Any, tmp_path: Path) -> None:
    rows = ["email;reason;at", "BERTA@example.org;complained;2026-01-02T03:04:05Z", "nobody@example.org;;",
            "no address;;", "x@example.org;Because!;", "y@example.org;;tomorrow", ";;"]  # fmt: skip
    file = written(tmp_path, "\n".join(rows))
    result = people.run("suppressions", "import", file)
    assert "line 4: " in result.stderr
    assert "2 created" not in result.stdout
    assert "created 2" in result.stdout
    [kept] = people.services.config.rejects_dir.glob("stopped-*.rejects.csv")
    rejects = kept.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in rejects] == ["line", "4", "5", "6"]
    assert status(people, "berta@example.org") == "complained"
    assert people.json("suppressions", "list", "berta@example.org")["at"] == "2026-01-02T03:04:05Z"
    assert people.json("suppressions", "list") == {"complained": 1, "imported": 1}


def test_a_plain_list_and_fingerprints_of_another_key(people: Any, tmp_path: Path) -> None:
    done = people.json("suppressions", "import", written(tmp_path, "anna@example.org\nz@example.org\n\n"))
    assert (done["read"], done["created"], done["stopped"]) == (2, 2, 1)
    assert status(people) == "unsubscribed"
    other = written(tmp_path, f"hash,key\n{'a' * 64},00000000\n{'b' * 64},\nabc,\n")
    done = people.json("suppressions", "import", other)
    assert (done["created"], done["rejected"]) == (1, 2)
    assert "must be email or hash" in people.refused(
        "suppressions", "import", written(tmp_path, "name,age\nAnna,3\n"), status=2
    )


def test_somebody_who_is_suppressed_is_not_imported_nor_signed_up(people: Any, tmp_path: Path) -> None:
    people.run("suppressions", "import", written(tmp_path, "email\nnew@example.org\n"))
    file = tmp_path / "people.csv"
    file.write_text("email,consent\nnew@example.org,asked at the desk\n", encoding="utf-8")
    assert people.json("subscribers", "import", str(file))["rejected"] == 1
