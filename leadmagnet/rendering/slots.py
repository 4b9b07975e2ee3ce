"""Which slots exist, and in which kind of email each makes sense.

Constants are the same for every reader and are filled when a text is compiled; the others are filled for each letter.
Must not know: any value.
"""

from __future__ import annotations

from collections.abc import Mapping

from leadmagnet.domain.status import DeliveryKind

#: The clinic's own facts.
CONSTANT_SLOTS = frozenset({"clinic_name", "clinic_phone", "clinic_address", "booking_url"})

_READER = frozenset({"comma_name", "signed_up_on", "and_confirmed", "page_url", "leave_url"})
_RHYTHM = frozenset({"days_phrase", "goal_phrase", "weeks_phrase"})
_VIDEO = frozenset({"video_url", "video_title", "video_number", "video_length", "exercise"})
_REMINDER = frozenset({"done_url", "hurt_url", "strip_number"})

#: Emails to an address that has not been confirmed: no name, no link to anybody's page or out of anybody's emails.
TO_STRANGERS = frozenset({DeliveryKind.CONFIRMATION, DeliveryKind.NEW_ADDRESS})
#: The confirmation has no name in it: whoever typed the address could have typed anything there as well.
SLOTS_OF: Mapping[DeliveryKind, frozenset[str]] = {
    DeliveryKind.CONFIRMATION: CONSTANT_SLOTS | {"confirm_url", "signed_up_on"},
    DeliveryKind.ALREADY_SUBSCRIBED: CONSTANT_SLOTS | _READER,
    DeliveryKind.VIDEO: CONSTANT_SLOTS | _READER | _RHYTHM | _VIDEO | {"next_line"},
    DeliveryKind.FINISHED: CONSTANT_SLOTS | _READER | _RHYTHM,
    DeliveryKind.REMINDER: CONSTANT_SLOTS | _READER | _RHYTHM | _VIDEO | _REMINDER,
    DeliveryKind.FRESH_LINK: CONSTANT_SLOTS | _READER | {"fresh_url"},
    # It goes to an address that nobody has confirmed: no name, and no way to anybody's page.
    DeliveryKind.NEW_ADDRESS: CONSTANT_SLOTS | {"fresh_url"},
}
KNOWN_SLOTS: frozenset[str] = frozenset().union(*SLOTS_OF.values())
#: What a letter must bring values for.
READER_SLOTS = KNOWN_SLOTS - CONSTANT_SLOTS
#: What the page of a step may use; the pages themselves add `interval_phrase`, which no email has.
PAGE_SLOTS = CONSTANT_SLOTS
#: The only slots that may stand where a link leads.
LINK_SLOTS = frozenset(slot for slot in KNOWN_SLOTS if slot.endswith("_url"))

#: How wide a value usually is, so that plain text can be wrapped before the values are known.
WIDTHS: Mapping[str, int] = {
    "comma_name": 8,
    "signed_up_on": 17,
    "and_confirmed": 27,
    "days_phrase": 28,
    "goal_phrase": 14,
    "weeks_phrase": 15,
    "video_title": 21,
    "video_number": 1,
    "video_length": 20,
    "exercise": 21,
}


def target(kind: DeliveryKind, state: str = "") -> str:
    """Return the slot to which the button of an email leads; `state` is that of a reminder."""
    if kind is DeliveryKind.CONFIRMATION:
        return "confirm_url"
    if kind in (DeliveryKind.FRESH_LINK, DeliveryKind.NEW_ADDRESS):
        return "fresh_url"
    shows_video = kind in (DeliveryKind.VIDEO, DeliveryKind.REMINDER) and state != "last_question"
    return "video_url" if shows_video else "page_url"
