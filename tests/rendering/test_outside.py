"""Links of a text to other sites: which are found, and which lead through /c/."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from leadmagnet.domain.message import UnknownSlot, expand
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.email import compile_email
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.outside import BOOKING, MOST_LINKS, outside_links
from leadmagnet.rendering.values import Reader, Values

HOST = "https://videos.clinic.example"
STUDY = "https://example.org/study?a=1&b=2#top"
WORDS = f"""
Read [a study]({STUDY}), [our page]({{{{page_url}}}}), [privacy]({HOST}/privacy), [a visit]({{{{booking_url}}}}),
<https://plain.example/x>, [plain.example](https://plain.example/y), [call](tel:+1604), [the study again]({STUDY}),
[no](https://user:secret@example.org/), **[bold *one*](http://Example.ORG/ü)**.
"""


@pytest.fixture
def text(video: str) -> str:
    return video.replace("One arm reaches", f"{WORDS}\nOne arm reaches")


def numbered(urls: list[str]) -> tuple[tuple[str, int], ...]:
    return tuple((url, number) for number, url in enumerate(urls, 7))


def test_the_web_addresses_of_the_email_are_found_once_each_in_their_order(text: str) -> None:
    assert outside_links(text) == [
        STUDY,
        f"{HOST}/privacy",
        BOOKING,
        "https://plain.example/x",
        "https://plain.example/y",
        "http://Example.ORG/%C3%BC",
    ]


def test_a_text_with_very_many_links_keeps_the_first(video: str) -> None:
    many = "\n".join(f"[l](https://example.org/{number})" for number in range(100))
    assert len(outside_links(video.replace("One arm reaches", many))) == MOST_LINKS


def test_links_to_other_sites_become_slots_and_nothing_else_changes(text: str, clinic: Clinic) -> None:
    clinic = replace(clinic, booking_url="https://book.example/")
    stored = numbered(outside_links(text))
    content, plain = compile_email(text, clinic, HOST, tracked=stored), compile_email(text, clinic, HOST)
    assert {slot for slot in content.slots() if slot.startswith("link_")} == {"link_7", "link_9", "link_12"}
    assert content.html.count("{{link_7}}") == 2
    for direct in (f'href="{HOST}/privacy"', 'href="https://plain.example/x"', 'href="https://plain.example/y"'):
        assert direct in content.html
    assert (content.subject, content.text) == (plain.subject, plain.text)
    back = content.html
    for url, number in stored:
        address = "https://book.example/" if url == BOOKING else url.replace("&", "&amp;")
        back = back.replace(f"{{{{link_{number}}}}}", address)
    assert back == plain.html


def test_without_a_booking_page_its_link_dials_as_ever(text: str, clinic: Clinic) -> None:
    content = compile_email(text, clinic, HOST, tracked=numbered(outside_links(text)))
    assert 'href="tel:+16045550142"' in content.html
    assert "link_9" not in content.slots()


def test_what_leads_to_ourselves_is_linked_directly_on_any_spelling(video: str, clinic: Clinic) -> None:
    text = video.replace("One arm", "[us](HTTPS://VIDEOS.clinic.example/articles/core) One arm")
    assert "link_7" not in compile_email(text, clinic, HOST, tracked=numbered(outside_links(text))).slots()


def test_each_letter_gets_tokens_of_its_own(
    text: str, clinic: Clinic, reader: Callable[..., Reader], links: Links, now: datetime
) -> None:
    content = compile_email(text, clinic, HOST, tracked=numbered(outside_links(text)))
    values = Values(links, now, content.slots()).of(reader(delivery_id=5))
    assert values["link_7"] == links.tracked(5, 7)
    assert len(values["link_7"]) == len(HOST) + len("/c/") + 43
    assert f'href="{values["link_7"]}"' in expand(content, values).html
    token = values["link_7"].rpartition("/")[2]
    assert links.read_tracked(token) == (5, 7)
    rotated = Links(HOST, (b"newest key", *links.keys))
    assert rotated.read_tracked(token) == (5, 7)


@pytest.mark.parametrize("slot", ["link_", "link_x", "link_1_2", "link", "lnk_1"])
def test_a_slot_that_names_no_stored_link_has_no_value(
    slot: str, reader: Callable[..., Reader], links: Links, now: datetime
) -> None:
    with pytest.raises(KeyError):
        Values(links, now, [slot]).of(reader())


def test_a_marketer_cannot_write_such_a_slot(video: str, clinic: Clinic) -> None:
    from leadmagnet.rendering.document import BadDocument

    with pytest.raises((BadDocument, UnknownSlot)):
        compile_email(video.replace("One arm", "[x]({{link_7}}) One arm"), clinic, HOST)
