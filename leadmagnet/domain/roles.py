"""Addresses of a role or a department instead of a person (RFC 2142, and the usual ones beside it).

Must not know: what is done about them. They are marked, never refused: a small firm has nothing but info@.
"""

from __future__ import annotations

ROLES = frozenset(
    "abuse accounting accounts admin administrator all billing bookings careers clinic compliance contact "
    "customerservice dev devnull dns enquiries everyone feedback finance ftp hello help helpdesk hostmaster hr info "
    "inoc it jobs legal list list-request mail mailer-daemon marketing media no-reply nobody noc noreply office "
    "orders postmaster press privacy reception recruitment registrar root sales security service spam staff subscribe "
    "support sysadmin team tech undisclosed-recipients unsubscribe usenet uucp webmaster www".split()
)


def is_role(email_canonical: str) -> bool:
    """Say whether the part before the @ (and before a +tag) names a role. Takes the canonical spelling."""
    return email_canonical.rpartition("@")[0].partition("+")[0] in ROLES
