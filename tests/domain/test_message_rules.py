"""Slots are filled once, safely, and completely."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.message import Content, Expanded, MailError, UnknownSlot, expand, fill

CONTENT = Content(
    subject="{{first_name}}, video {{number}}",
    html='<p title="{{first_name}}">Hello {{ first_name }}</p>',
    text="Hello {{first_name}}\n{{number}}",
)


def test_a_content_knows_its_slots() -> None:
    assert CONTENT.slots() == {"first_name", "number"}


def test_every_part_is_filled_for_one_reader() -> None:
    assert expand(CONTENT, {"first_name": "Ada", "number": "1"}) == Expanded(
        subject="Ada, video 1", html='<p title="Ada">Hello Ada</p>', text="Hello Ada\n1"
    )


def test_a_value_that_looks_like_a_slot_stays_text() -> None:
    filled = expand(CONTENT, {"first_name": "{{number}}", "number": "{{first_name}}"})
    assert filled.subject == "{{number}}, video {{first_name}}"
    assert filled.text == "Hello {{number}}\n{{first_name}}"


def test_a_value_is_escaped_in_html_and_nowhere_else() -> None:
    filled = expand(CONTENT, {"first_name": "<b a=\"x\" b='y'>&", "number": "1"})
    safe = "&lt;b a=&quot;x&quot; b=&#x27;y&#x27;&gt;&amp;"
    assert filled.html == f'<p title="{safe}">Hello {safe}</p>'
    assert filled.text.startswith("Hello <b a=\"x\" b='y'>&")


@given(st.text())
def test_no_value_breaks_the_subjects_line(value: str) -> None:
    subject = expand(CONTENT, {"first_name": f"a\r\nBcc: b@example.org{value}\n", "number": "1"}).subject
    assert len(subject.splitlines()) == 1
    assert "\r" not in subject
    assert "\n" not in subject


@given(st.text())
def test_no_value_gets_markup_into_the_html(value: str) -> None:
    html = expand(CONTENT, {"first_name": value, "number": "1"}).html
    assert html.count("<") == 2
    assert html.count('"') == 2


def test_a_slot_without_a_value_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(UnknownSlot, match="number"):
        expand(CONTENT, {"first_name": "Ada"})


@pytest.mark.parametrize("part", ["{first_name}", "{{First}}", "{{ }}", "{{1}}", "{{a-b}}", "{{a b}}", "a { b }} c"])
def test_stray_braces_are_no_slots(part: str) -> None:
    assert fill(part, {}) == part


def test_an_error_carries_the_decision() -> None:
    error = MailError("refused", permanent=True, retry_after=3.5)
    assert (str(error), error.permanent, error.retry_after) == ("refused", True, 3.5)
