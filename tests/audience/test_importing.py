"""Imports: what each kind of row becomes."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from leadmagnet import store
from leadmagnet.audience.erase import erase
from leadmagnet.audience.importing import BadFile, import_rows, read
from leadmagnet.signup.addresses import parse_address
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression, email_hash

KEY = "k" * 40


@pytest.fixture
def take(session, now):
    def run(text, **more):
        given = {"consent": "Asked at the desk.", "clinic_zone": "America/Vancouver", "suppression_key": KEY} | more
        return import_rows(session, read(io.StringIO(text)), now, parse_address=parse_address, **given)

    return run


def numbers(report):
    return report.read, report.created, report.updated, report.unchanged, report.rejected


def test_a_new_person_is_active_with_consent_and_in_no_sequence(session, take, now):
    report = take("email,first_name,timezone,source\nAnna@Example.org,Anna,Europe/Zurich,desk\n")
    assert numbers(report) == (1, 1, 0, 0, 0)
    anna = store.subscribers.by_canonical(session, "anna@example.org")
    assert (anna.status, anna.first_name, anna.timezone, anna.source) == ("active", "Anna", "Europe/Zurich", "desk")
    assert anna.confirmed_at == now.course
    (event,) = store.consents.events_of(session, anna.id)
    assert (event.kind, event.channel, event.detail) == ("confirmed", "import", "Asked at the desk.")
    assert session.get(store.consents.Wording, event.wording_id).text == "Asked at the desk."
    assert store.enrollments.newest_of(session, anna.id) is None


def test_enroll_starts_the_sequence_without_a_confirmation(session, take):
    take("email\nanna@example.org\n", enroll="six-core-videos")
    anna = store.subscribers.by_canonical(session, "anna@example.org")
    enrollment = store.enrollments.newest_of(session, anna.id)
    assert (enrollment.status, enrollment.wants_plan) == ("active", True)
    assert session.scalars(select(Delivery)).all() == []
    assert anna.timezone == "America/Vancouver"


def test_the_same_file_again_changes_nothing(session, take):
    text = "email,first_name\na@example.org,A\nb@example.org,B\n"
    assert numbers(take(text, enroll="six-core-videos")) == (2, 2, 0, 0, 0)
    assert numbers(take(text, enroll="six-core-videos")) == (2, 0, 0, 2, 0)
    assert len(session.scalars(select(Enrollment)).all()) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nonsense,,,", "An address has one @"),
        ("a@b@example.org,,,", "There is more than one @"),
        (",Anna,,", "There is no address in this row."),
        ("a@example.org,,Mars/Base,", "Mars/Base is not a time zone."),
        ("a@example.org," + "x" * 41 + ",,", "keep the name to 40"),
        ("a@example.org,http://evil,,", "without links"),
        ("a@example.org,visit evil.com,,", "without links"),
        ("a@example.org,An\x07na,,", "sign that nobody can see"),
        ("a@example.org,,,", "Nothing says that this person agreed."),
        ("a@example.org,,," + "x" * 2001, "The consent is longer"),
    ],
)
def test_rows_that_are_rejected_say_why(take, row, reason):
    report = take(f"email,first_name,timezone,consent\n{row}\n", consent="")
    assert numbers(report) == (1, 0, 0, 0, 1)
    line, said, values = report.rejects[0]
    assert line == 2
    assert reason in said
    assert values["email"] == row.split(",")[0]


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained"])
def test_who_is_stopped_stays_stopped(session, take, person, status):
    left = person("left@example.org", status=status, first_name="Old")
    report = take("email,first_name\nleft@example.org,New\n", enroll="six-core-videos")
    assert numbers(report) == (1, 0, 0, 0, 1)
    assert (left.status, left.first_name) == (status, "Old")


def test_a_suppressed_address_stays_stopped(session, take, now):
    session.add(Suppression(email_hash=email_hash(KEY, "gone@example.org"), reason="complained", at=now.course))
    session.flush()
    assert numbers(take("email\nGone@example.org\n")) == (1, 0, 0, 0, 1)


def test_somebody_we_know_is_filled_in_and_never_emptied(session, take, person):
    anna = person("anna@example.org", first_name="Anna", source="landing")
    assert numbers(take("email,first_name,timezone,source\nanna@example.org,,Europe/Zurich,file\n")) == (1, 0, 1, 0, 0)
    assert (anna.first_name, anna.timezone, anna.source) == ("Anna", "Europe/Zurich", "landing")
    assert numbers(take("email,first_name\nanna@example.org,\n")) == (1, 0, 0, 1, 0)


def test_a_pending_person_waits_unless_a_sequence_is_named(session, take, person, now):
    bo = person("bo@example.org", status="pending")
    asking = Delivery(subscriber_id=bo.id, kind="confirmation", created_at=now.course, due_at=now.course)
    session.add(asking)
    assert numbers(take("email\nbo@example.org\n")) == (1, 0, 0, 1, 0)
    assert bo.status == "pending"
    assert numbers(take("email\nbo@example.org\n", enroll="six-core-videos")) == (1, 0, 1, 0, 0)
    session.refresh(asking)
    assert (bo.status, asking.status) == ("active", "skipped")
    assert [event.channel for event in store.consents.events_of(session, bo.id)] == ["import"]


def test_one_person_on_two_lines_is_one_person(session, take):
    report = take("email,first_name\na@example.org,\nb@example.org,\nA@example.org,Anna\n")
    assert numbers(report) == (3, 2, 1, 0, 0)
    assert store.subscribers.by_canonical(session, "a@example.org").first_name == "Anna"


def test_headers_are_forgiving_and_needed(session, take):
    assert take("\ufeffFirst_Name, EMAIL \r\nAnna,a@example.org\r\n\r\n,\r\n").created == 1
    for text in ("", "name,address\nAnna,a@example.org\n"):
        with pytest.raises(BadFile, match="must be email"):
            take(text)
    with pytest.raises(BadFile, match="no sequence called nowhere"):
        take("email\na@example.org\n", enroll="nowhere")


def test_many_rows_go_in_batches(session, take):
    seen = []
    text = "email\n" + "".join(f"p{number}@example.org\n" for number in range(2_500))
    report = take(text, after_batch=lambda so_far: seen.append(so_far.created))
    assert seen == [1_000, 2_000, 2_500]
    assert report.created == len(session.scalars(select(Subscriber.id)).all())


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        ("pending", []),
        ("active", ["erased"]),
        ("unsubscribed", ["unsubscribed"]),
        ("bounced", ["bounced"]),
        ("complained", ["complained"]),
    ],
)
def test_erasing_leaves_a_fingerprint_of_whoever_had_confirmed(session, person, enrolled, now, status, kept):
    anna = person("Anna@example.org", status=status)
    enrolled(anna, 2)
    session.add(
        store.signups.SignUp(
            email="Anna@example.org", email_canonical="anna@example.org", form="landing", asked_at=now.course,
            asked_real_at=now.course, wording_id=store.consents.keep_wording(session, "yes", "en", now.course),
        )
    )  # fmt: skip
    session.flush()
    assert erase(session, " ANNA@example.org ", now, KEY, clinic_zone="America/Vancouver")
    for table in (Subscriber, Delivery, Enrollment, store.signups.SignUp):
        assert session.scalars(select(table)).all() == []
    hashes = session.scalars(select(Suppression)).all()
    assert [one.reason for one in hashes] == kept
    assert all(one.email_hash == email_hash(KEY, "anna@example.org") for one in hashes)
    assert not erase(session, "anna@example.org", now, KEY, clinic_zone="America/Vancouver")


def test_erasing_reaches_a_sign_up_that_nobody_has_looked_at(session, now):
    session.add(
        store.signups.SignUp(
            email="a@example.org", email_canonical="a@example.org", form="landing", asked_at=now.course - timedelta(1),
            asked_real_at=now.course, wording_id=store.consents.keep_wording(session, "yes", "en", now.course),
        )
    )  # fmt: skip
    session.flush()
    assert erase(session, "a@example.org", now, KEY, clinic_zone="America/Vancouver")
    assert session.scalars(select(store.signups.SignUp)).all() == []
