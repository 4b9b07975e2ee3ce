from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from leadmagnet.domain.status import DeliveryKind
from leadmagnet.domain.zones import zone
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.values import Lesson, Reader

VIDEO = """\
---
slug: bird-dog
kind: video
delay: 3 days
title: Bird dog
subject: "Bird dog: reach and stay level"
preheader: "Slow and wide."
button: "Watch video 4, {{video_length}}"
number: 4
email_poster: media/email/4.png
poster_alt: "Video 4: bird dog. A woman kneels on a mat."
---
# Email

Hello{{comma_name}},

One arm reaches, and the [opposite leg]({{page_url}}) too.

# Email as text

Hello{{comma_name}},

Video 4: {{video_title}}, {{video_length}}.

{{video_url}}

# Purpose

A quiet trunk.

# Steps

1. Kneel.

# When to stop

- If it hurts, call {{clinic_phone}}.
"""


@pytest.fixture
def video() -> str:
    return VIDEO


@pytest.fixture
def clinic() -> Clinic:
    return Clinic(
        name="Riverside Physiotherapy",
        address="2210 Marine Crescent, Vancouver, BC V6P 0A0",
        phone="604-555-0142",
        timezone="America/Vancouver",
        booking_url="",
        reviewer="",
        mail_from="hello@riversidephysio.example",
        reply_to="hello@riversidephysio.example",
        unsubscribe_mailto="",
    )


@pytest.fixture
def links() -> Links:
    return Links("https://videos.clinic.example", (b"new key", b"old key"))


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # a Wednesday, 09:00 in Vancouver


@pytest.fixture
def reader(now: datetime) -> Callable[..., Reader]:
    def make(**changes: Any) -> Reader:
        lesson: dict[str, Any] = {
            "kind": DeliveryKind.VIDEO,
            "step_id": 4,
            "step_slug": "bird-dog",
            "step_title": "Bird dog",
            "step_number": 4,
            "film_seconds": 38.2,
        }
        own: dict[str, Any] = {
            "subscriber_id": 7,
            "leave_id": "leave-me_7",
            "first_name": "Anna",
            "timezone": zone("America/Vancouver"),
            "signed_up_at": datetime(2026, 11, 10, 3, 0, tzinfo=UTC),  # still the 9th in Vancouver
            "issued_real": now,
            "good_weeks": 4,
        }
        names = {field.name for field in fields(Lesson)}
        lesson |= {name: value for name, value in changes.items() if name in names}
        own |= {name: value for name, value in changes.items() if name not in names}
        return Reader(lesson=Lesson(**lesson), **own)

    return make
