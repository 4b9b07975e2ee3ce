"""The clinic as a letter shows it: who writes, from where, and how to reach them.

Must not know: where these facts are kept, or which letter they are for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Clinic:
    """The sender. `booking_url`, `reviewer` and `unsubscribe_mailto` may be empty."""

    name: str
    address: str
    phone: str
    timezone: str
    booking_url: str
    reviewer: str
    mail_from: str
    reply_to: str
    unsubscribe_mailto: str

    @property
    def phone_href(self) -> str:
        """The number as a `tel:` link. Ten digits without a country code are North American."""
        number = re.split(r"[A-Za-z]", self.phone)[0]  # an extension cannot be dialled by a link
        digits = re.sub(r"[^0-9]", "", number)
        if number.strip().startswith("+"):
            return f"tel:+{digits}"
        if len(digits) == 11 and digits.startswith("1"):
            return f"tel:+{digits}"
        return f"tel:+1{digits}" if len(digits) == 10 else f"tel:{digits}"

    @property
    def booking_link(self) -> str:
        """The booking page, or "" where none is set or the address is no web address."""
        url = self.booking_url.strip()
        if urlsplit(url).scheme not in ("http", "https"):
            return ""
        return url.replace("{", "%7B").replace("}", "%7D")

    def constants(self, *, plain: bool = False) -> dict[str, str]:
        """Return the values of the slots that are the same for every reader.

        Without a booking page "book a visit" leads to the telephone: a `tel:` link, or the number itself in plain text.
        """
        call = one_line(self.phone) if plain else self.phone_href
        return {
            "clinic_name": one_line(self.name),
            "clinic_phone": one_line(self.phone),
            "clinic_address": one_line(self.address),
            "booking_url": self.booking_link or call,
        }


@lru_cache(maxsize=1024)
def one_line(text: str) -> str:
    """Return `text` on one line and without braces, so that a name or an address can never form a slot."""
    return " ".join(text.translate({ord("{"): "(", ord("}"): ")"}).split())
