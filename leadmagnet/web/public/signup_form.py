"""The sign-up form: its fields, its checks in words, and what a template needs to draw it.

Must not know: the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_wtf import FlaskForm
from itsdangerous import BadData, URLSafeSerializer
from wtforms import BooleanField, StringField, ValidationError
from wtforms.validators import InputRequired

from leadmagnet.domain.consent import COURSE, Purpose
from leadmagnet.domain.names import NAME_LENGTH, BadName, parse_name
from leadmagnet.signup.addresses import Address, BadAddress, parse_address
from leadmagnet.web.context import now, services
from leadmagnet.web.pages import Consent

#: Seconds that filling the form takes anybody. Real time.
MINIMUM_FILL = 1.5
TOO_QUICK = "That was quick. Please look over your entries once more and press the button again."
#: What the summary says of a field that is wrong, and of one that is empty.
_SHORT = {
    "first_name": ("Check the first name", ""),
    "email": ("Check the email address", "Write your email address"),
    "consent": ("Tick the box so that we may write to you",) * 2,
}


@dataclass(frozen=True, slots=True)
class Error:
    """One thing to mend: the field, the sentence beside it, and the short one of the summary."""

    field: str
    sentence: str
    short: str
    missing: bool = False


def heading(errors: Sequence[Error]) -> str:
    """Return what stands above the things to mend: missing is only what was left out."""
    if all(error.missing for error in errors):
        return "One thing is missing" if len(errors) == 1 else "A few things are missing"
    return "Please look at one thing again" if len(errors) == 1 else "Please look at a few things again"


class SignUpForm(FlaskForm):
    """What a visitor sends."""

    first_name = StringField()
    email = StringField()
    consent = BooleanField(validators=[InputRequired("We need your yes before we write.")])
    news = BooleanField()
    form = StringField()
    timezone = StringField()
    shown = StringField()
    homepage = StringField()
    #: The proof of work, under the name that ALTCHA gives it.
    altcha = StringField()

    #: What the checks made of the fields; there once the form is sound.
    address: Address
    name: str

    def validate_email(self, given: StringField) -> None:
        """Keep the address, or say how to mend it."""
        try:
            self.address = parse_address(given.data or "")
        except BadAddress as error:
            raise ValidationError(str(error)) from error

    def validate_first_name(self, given: StringField) -> None:
        """Keep the name, or say what no name has."""
        try:
            self.name = parse_name(given.data or "")
        except BadName as error:
            raise ValidationError(str(error)) from error

    @property
    def purposes(self) -> frozenset[Purpose]:
        """What was ticked: the first box covers videos and reminders, clinic news has its own."""
        return COURSE | {Purpose.NEWS} if self.news.data else COURSE

    def mistakes(self) -> list[Error]:
        """Return what is to be mended, in the order of the fields."""
        found = []
        for name, (wrong, left_out) in _SHORT.items():
            if name in self.errors:
                given = self[name].data
                missing = not (given.strip() if isinstance(given, str) else given)
                found.append(Error(name, str(self.errors[name][0]), left_out if missing else wrong, missing))
        return found


@dataclass(frozen=True, slots=True)
class Shown:
    """The form as a template draws it, with what was typed so far."""

    slug: str
    interval: str
    consent: Consent
    shown: str
    first_name: str = ""
    email: str = ""
    timezone: str = ""
    consent_given: bool = False
    news: bool = False
    notice: str = ""
    errors: list[Error] = field(default_factory=list)
    name_length: int = NAME_LENGTH

    @property
    def heading(self) -> str:
        """Return what stands above the things to mend."""
        return heading(self.errors)

    def error_of(self, name: str) -> str:
        """Return the sentence beside a field."""
        return next((error.sentence for error in self.errors if error.field == name), "")


def _signer() -> URLSafeSerializer:
    # itsdangerous signs with the last key and reads with all of them.
    return URLSafeSerializer(list(reversed(services().config.secret_keys)), salt="form shown at")


def stamp(at: datetime) -> str:
    """Return a signed note of when the form was shown."""
    return str(_signer().dumps(round(at.timestamp() * 1000)))


def too_quick(given: str) -> bool:
    """Say whether the form came back sooner than anybody can fill it in, or without our note."""
    try:
        shown = float(_signer().loads(given)) / 1000
    except (BadData, TypeError, ValueError):
        return True
    return now().real.timestamp() - shown < MINIMUM_FILL
