"""A text and the clinic to a finished email: subject, HTML and plain text, with slots for what differs by reader.

The look lives in templates/: `[[ … ]]` is filled here, `{{…}}` is a slot and stays. Must not know: any reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from leadmagnet.domain.message import Content, fill
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering.clinic import Clinic, one_line
from leadmagnet.rendering.document import EMAIL, EMAIL_TEXT, Document, check_email, kind_of, parse
from leadmagnet.rendering.links import media_url
from leadmagnet.rendering.markdown import to_html
from leadmagnet.rendering.outside import lead_through, slot_of
from leadmagnet.rendering.phrases import in_sentence
from leadmagnet.rendering.slots import READER_SLOTS, TO_STRANGERS, WIDTHS, target
from leadmagnet.rendering.wrapping import wrap

TEMPLATES: Final = Path(__file__).parent / "templates"
_ASKED = "You get this because you asked for the {course} on {{{{signed_up_on}}}}{{{{and_confirmed}}}}."
_WHY: Final[Mapping[DeliveryKind, str]] = {
    DeliveryKind.CONFIRMATION: (
        "You get this because someone typed this address into our form for the {course} on {{{{signed_up_on}}}}."
    ),
    DeliveryKind.ALREADY_SUBSCRIBED: (
        "You get this because someone has just signed up with this address again. You asked for the {course} on "
        "{{{{signed_up_on}}}}{{{{and_confirmed}}}}."
    ),
    DeliveryKind.VIDEO: _ASKED,
    DeliveryKind.FINISHED: _ASKED,
    DeliveryKind.REMINDER: "You get this because you asked for exercise reminders, on {{{{days_phrase}}}}.",
    DeliveryKind.FRESH_LINK: (
        "You get this because someone asked for it on your own page. You asked for the {course} on "
        "{{{{signed_up_on}}}}{{{{and_confirmed}}}}."
    ),
    DeliveryKind.NEW_ADDRESS: (
        "You get this because someone who gets the {course} asked us to send them to this address from now on."
    ),
}


@lru_cache(maxsize=256)
def compile_email(
    source: str,
    clinic: Clinic,
    public_url: str,
    *,
    home_title: str = "Six core videos",
    videos: int = 6,
    tracked: tuple[tuple[str, int], ...] = (),
) -> Content:
    """Return the email of a text. `home_title` names the course, `videos` says how many it has.

    `tracked`: the stored links, address and id, that lead through /c/. Raises BadDocument.
    """
    document = parse(source)
    check_email(document)
    plain = _blanks() | clinic.constants(plain=True)
    context = _context(document, clinic, home_title, plain) | _pictures(document, public_url, videos, plain)
    context["body"] = _body(document, clinic, public_url, tracked)
    page = _templates().get_template("email.html.j2").render(context)
    footer = _templates().get_template("email.txt.j2").render(context)
    text = fill(document.sections[EMAIL_TEXT], plain).strip()
    return Content(
        subject=_line(document, "subject", plain),
        html=_inliner().inline(page),
        text=wrap(f"{text}\n\n{footer.strip()}\n", _widths(document)),
    )


def _widths(document: Document) -> Mapping[str, int]:
    """Return how wide values are; the email of a video knows its own title."""
    if kind_of(document) is not DeliveryKind.VIDEO:
        return WIDTHS
    title = len(document.text("title"))
    return {**WIDTHS, "video_title": title, "exercise": title}


def _blanks() -> dict[str, str]:
    """Return slots as their own values, so that filling the constants leaves them for the reader."""
    return {slot: f"{{{{{slot}}}}}" for slot in READER_SLOTS}


def _context(document: Document, clinic: Clinic, home_title: str, plain: Mapping[str, str]) -> dict[str, object]:
    kind = kind_of(document)
    return {
        "kind": kind.value,
        "to_stranger": kind in TO_STRANGERS,
        "heading": _line(document, "subject", plain),
        "preheader": _line(document, "preheader", plain),
        "button": _line(document, "button", plain),
        "target": f"{{{{{target(kind, document.text('state'))}}}}}",
        "why": _WHY[kind].format(course=in_sentence(one_line(home_title))),
        "clinic_name": plain["clinic_name"],
        "clinic_address": plain["clinic_address"],
        "clinic_phone": plain["clinic_phone"],
        "phone_href": clinic.phone_href,
        "booking": clinic.booking_link,
        "reviewer": one_line(clinic.reviewer),
    }


def _body(document: Document, clinic: Clinic, public_url: str, tracked: tuple[tuple[str, int], ...]) -> Markup:
    led = lead_through(to_html(document.sections[EMAIL]), tracked, public_url, clinic.booking_link)
    slots = {slot_of(link_id): f"{{{{{slot_of(link_id)}}}}}" for _, link_id in tracked}
    body = fill(led, _blanks() | slots | clinic.constants(), escape=True)
    return Markup(body)  # noqa: S704  # to_html lets no tag of the writer's through, and values were escaped


def _line(document: Document, key: str, values: Mapping[str, str]) -> str:
    return " ".join(fill(document.text(key), values).split())


def _pictures(document: Document, public_url: str, videos: int, plain: Mapping[str, str]) -> dict[str, object]:
    """Return the picture of the email with its dark twin, and the place in the course."""
    kind = kind_of(document)
    path = document.text("email_poster")
    alt = _line(document, "poster_alt", plain)
    if not path and kind is DeliveryKind.REMINDER:
        path, alt = "email/strip-{{strip_number}}.png", "Drawing of the exercise: {{exercise}}."
    elif not path and kind is DeliveryKind.FINISHED:
        path, alt = f"email/strip-{videos}.png", "Drawing: a woman on a yellow mat, doing the last of the exercises."
    number = int(document.text("number")) if kind is DeliveryKind.VIDEO else 0
    return {
        "picture": _address(public_url, path),
        "picture_dark": _address(public_url, path.replace(".png", "-dark.png")),
        "alt": alt,
        "number": number,
        "videos": max(videos, number),
        "ground": (number - 1) % 6 + 1,
    }


def _address(public_url: str, path: str) -> str:
    # quote() would break the slot in a path; nothing else in these paths needs quoting.
    return media_url(public_url, path).replace("%7B%7B", "{{").replace("%7D%7D", "}}") if path else ""


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        variable_start_string="[[",
        variable_end_string="]]",
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _inliner() -> CSSInliner:
    """Return an inliner with our one style sheet, which keeps the template's <style> and fetches nothing."""
    style = (TEMPLATES / "email.css").read_text(encoding="utf-8")
    return CSSInliner(inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False, extra_css=style)
