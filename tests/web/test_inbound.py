"""POST /webhooks/inbound/SECRET: leaving by an email, for whoever knows an id that nobody can guess."""

from __future__ import annotations

from typing import Any

import pytest

SECRET = "inbound-secret-of-a-test"
MAILBOX = "leave@clinic.example"
FORM = "multipart/form-data"


@pytest.fixture
def clinic(make_site: Any) -> Any:
    return make_site(inbound_secret=SECRET, mail_unsubscribe=MAILBOX)


def post(site: Any, fields: dict[str, Any], secret: str = SECRET) -> int:
    answer = site.app.test_client(use_cookies=False).post(f"/webhooks/inbound/{secret}", data=fields, content_type=FORM)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    return answer.status_code


def status(site: Any, person: Any) -> str:
    return site.again(person).status


def test_an_id_in_the_subject_stops_its_person_alone(clinic: Any) -> None:
    anna, berta = clinic.person(), clinic.person(email="berta@example.org")
    assert post(clinic, {"subject": f"Fwd: unsubscribe {anna.leave_id}", "from": "Berta <berta@example.org>"}) == 204
    assert (status(clinic, anna), status(clinic, berta)) == ("unsubscribed", "active")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"subject": "unsubscribe", "from": "anna@example.org"},
        {"subject": "unsubscribe anna@example.org", "to": MAILBOX},
        {"subject": "unsubscribe AAAAAAAAAAAAAAAAAAAAAA"},
        {"envelope": "no json"},
        {"envelope": '["leave@clinic.example"]'},
        {"envelope": '{"to": "leave@clinic.example"}'},
        {"envelope": '{"to": [5, null, "leave+AAAAAAAAAAAAAAAAAAAAAA@clinic.example", "@", "+@"]}'},
        {"subject": "\0\udcff"},
        {"email": "no email at all"},
        {"email": ""},
    ],
    ids=range(11),
)
def test_whatever_else_comes_stops_nobody(clinic: Any, fields: dict[str, Any]) -> None:
    anna = clinic.person()
    assert post(clinic, {name: value.encode("utf-8", "surrogateescape") for name, value in fields.items()}) == 204
    assert status(clinic, anna) == "active"


def test_a_raw_email_is_read_as_from_a_mailbox(clinic: Any) -> None:
    anna = clinic.person()
    raw = f"To: {MAILBOX}\r\nSubject: unsubscribe {anna.leave_id}\r\n\r\nStop, please.\r\n"
    assert post(clinic, {"email": raw, "subject": "other"}) == 204
    assert status(clinic, anna) == "unsubscribed"


def test_the_secret_is_needed_and_nothing_is_there_without_one(clinic: Any, make_site: Any) -> None:
    anna = clinic.person()
    leaves = {"subject": f"unsubscribe {anna.leave_id}"}
    assert post(clinic, leaves, "wrong-secret") == 404
    assert clinic.get(f"/webhooks/inbound/{SECRET}").status_code == 405
    assert post(make_site(), leaves) == 404
    assert post(make_site(inbound_secret=SECRET), leaves, "é") == 404
    assert status(clinic, anna) == "active"


def parts(**fields: bytes) -> dict[str, Any]:
    """A form by hand: the test client would leave large parts in files that nobody closes."""
    names = {"attachment": '; filename="picture.jpg"'}
    body = b"".join(
        b'--cut\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (name.encode(), names.get(name, "").encode(), value)
        for name, value in fields.items()
    )
    return {"data": body + b"--cut--\r\n", "content_type": f"{FORM}; boundary=cut"}


def test_large_emails_pass_and_endless_ones_do_not(clinic: Any) -> None:
    anna = clinic.person()
    url = f"/webhooks/inbound/{SECRET}"
    large = parts(subject=f"unsubscribe {anna.leave_id}".encode(), attachment=b"x" * 5_000_000)
    assert clinic.client.post(url, **large).status_code == 204
    assert status(clinic, anna) == "unsubscribed"
    assert clinic.client.post(url, **parts(text=b"x" * 5_000_000)).status_code == 413
