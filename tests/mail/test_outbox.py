"""The outbox: a Maildir in which a file is the evidence of its delivery."""

import mailbox
import os
import resource
import stat
from datetime import UTC, datetime

import pytest

from leadmagnet.domain.message import MailError, Outcome
from leadmagnet.mail import Outbox


@pytest.fixture
def place(tmp_path):
    return tmp_path / "deep" / "outbox"


@pytest.fixture
def outbox(place):
    return Outbox(place)


def _age(place, *names_and_seconds):
    for name, seconds in names_and_seconds:
        os.utime(place / "new" / name, (seconds, seconds))


def test_it_is_a_maildir_that_others_cannot_read(outbox, place, batch, letter):
    outbox.send(batch(letter("d1")))
    for folder in (place, *(place / part for part in ("tmp", "new", "cur"))):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = (place / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list((place / "tmp").iterdir()) == []
    box = mailbox.Maildir(place, create=False)
    assert [message["X-Leadmagnet-Delivery"] for message in box] == ["d1"]


def test_the_same_delivery_twice_is_one_file(outbox, place, batch, letter):
    outbox.send(batch(letter("d1")))
    (file,) = (place / "new").iterdir()
    before = file.stat().st_mtime_ns, file.stat().st_ino
    (again,) = outbox.send(batch(letter("d1", to_name="Changed")))
    assert again.outcome is Outcome.SENT
    (file,) = (place / "new").iterdir()
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


def test_a_letter_that_was_read_counts_as_taken(outbox, place, batch, letter):
    outbox.send(batch(letter("d1")))
    (file,) = (place / "new").iterdir()
    file.rename(place / "cur" / f"{file.name},S=123:2,S")
    assert outbox.taken("d1")
    assert [result.outcome for result in outbox.send(batch(letter("d1")))] == [Outcome.SENT]
    assert list((place / "new").iterdir()) == []
    assert [one.delivery_id for one in outbox.messages(10)] == ["d1"]
    assert outbox.read(file.name).subject == "Ann, your first video"


def test_taken_knows_no_strangers(outbox, batch, letter):
    assert not outbox.taken("d1")
    outbox.send(batch(letter("d11")))
    assert not outbox.taken("d1")
    assert outbox.taken("d11")


@pytest.mark.parametrize("delivery_id", ["../../evil", ".", "a/b", "a:2,S", "a,b", "a%2Fb", "-h"])
def test_delivery_ids_cannot_leave_the_folder(outbox, place, batch, letter, delivery_id):
    (result,) = outbox.send(batch(letter(delivery_id, to_email="a@reader.example", message_id="<a@b.example>")))
    assert result.outcome is Outcome.SENT
    assert outbox.taken(delivery_id)
    assert len(list((place / "new").iterdir())) == 1
    (one,) = outbox.messages(1)
    assert outbox.read(one.name).header("X-Leadmagnet-Delivery") == delivery_id


@pytest.mark.parametrize("delivery_id", ["", "x" * 201, "\ud800"])
def test_delivery_ids_that_cannot_be_names_are_refused(outbox, batch, letter, delivery_id):
    (result,) = outbox.send(batch(letter(delivery_id, to_email="a@reader.example", message_id="<a@b.example>")))
    assert result.outcome is Outcome.REJECTED
    assert not outbox.taken(delivery_id)


def test_messages_come_newest_first_in_pages(outbox, place, batch, letter):
    assert outbox.messages(10) == []
    outbox.send(batch(*(letter(f"d{number}") for number in range(5))))
    _age(place, *((f"d{number}.leadmagnet", 1_000_000 + number) for number in range(5)))
    first = outbox.messages(2)
    assert [one.delivery_id for one in first] == ["d4", "d3"]
    assert [one.delivery_id for one in outbox.messages(2, before=first[-1].name)] == ["d2", "d1"]
    assert [one.delivery_id for one in outbox.messages(9, before="d1.leadmagnet")] == ["d0"]
    assert outbox.messages(9, before="gone") == []
    assert first[0].received == datetime.fromtimestamp(1_000_004, UTC)
    assert first[0].date == datetime(2026, 3, 9, 16, 0, tzinfo=UTC)
    assert first[0].subject == "Ann, your first video"
    assert first[0].to == "Ann Reader <d4@reader.example>"
    assert first[0].sender == "Core Clinic <videos@clinic.example>"


def test_reading_gives_both_parts_headers_in_order_and_the_source(outbox, place, batch, letter, unsubscribe):
    (result,) = outbox.send(batch(letter("d1", to_name="Zoë")))
    mail = outbox.read(result.provider_id)
    assert mail.source == (place / "new" / result.provider_id).read_bytes()
    assert mail.html.startswith("<p>Hello Ann</p>")
    assert mail.text.startswith("Hello Ann\n")
    assert [name for name, _ in mail.headers][:4] == ["From", "Reply-To", "To", "Subject"]
    assert mail.header("to") == "Zoë <d1@reader.example>"
    assert mail.header("List-Unsubscribe") == unsubscribe
    assert mail.header("X-None") == ""


@pytest.mark.parametrize(
    "name", ["", "..", ".", "../secret", "new/d1.leadmagnet", "/etc/passwd", ".hidden", "a\x00b", "none"]
)
def test_reading_stays_inside(outbox, place, batch, letter, name):
    outbox.send(batch(letter("d1")))
    (place / "secret").write_text("From: x\n\nsecret")
    (place / "new" / ".hidden").write_text("From: x\n\nsecret")
    with pytest.raises(FileNotFoundError):
        outbox.read(name)


def test_links_in_the_maildir_are_not_followed(outbox, place, batch, letter, tmp_path):
    outbox.send(batch(letter("d1")))
    (tmp_path / "secret").write_text("From: x\n\nsecret")
    (place / "new" / "link.leadmagnet").symlink_to(tmp_path / "secret")
    (place / "cur" / "link.leadmagnet:2,S").symlink_to(tmp_path / "secret")
    with pytest.raises(FileNotFoundError):
        outbox.read("link.leadmagnet")
    assert [one.delivery_id for one in outbox.messages(10)] == ["d1"]


def test_foreign_files_do_not_break_the_list(outbox, place, batch, letter):
    outbox.send(batch(letter("d1")))
    (place / "new" / "1700000000.M1P2.host").write_bytes(b"\xff\xfe\x00 no headers at all")
    _age(place, ("1700000000.M1P2.host", 1))
    assert [one.delivery_id for one in outbox.messages(10)] == ["d1", ""]
    assert outbox.read("1700000000.M1P2.host").html == ""


def test_what_cannot_be_written_says_so_without_a_path(tmp_path, batch, letter):
    (tmp_path / "file").write_text("")
    with pytest.raises(MailError) as caught:
        Outbox(tmp_path / "file" / "outbox").send(batch(letter("d1")))
    assert caught.value.permanent
    assert str(tmp_path) not in str(caught.value)


def test_when_writing_fails_half_way_the_rest_is_tried_again(outbox, place, batch, letter):
    big = letter("d2", values={"name": "x" * 200_000, "link": "x"})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        results = outbox.send(batch(letter("d1"), big, letter("d3")))
        with pytest.raises(MailError) as caught:
            outbox.send(batch(big))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [result.outcome for result in results] == [Outcome.SENT, Outcome.RETRY, Outcome.RETRY]
    assert not caught.value.permanent
    assert not outbox.taken("d2")
    assert list((place / "tmp").iterdir()) == []


def test_an_unusable_sender_stops_the_queue(outbox, batch, letter):
    with pytest.raises(MailError) as caught:
        outbox.send(batch(letter("d1"), from_email="x\r\n@y"))
    assert caught.value.permanent
