"""The product's own sequence, email texts and forms, as `make run` loads them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from leadmagnet import content
from leadmagnet.editing.files import read_files, read_texts
from leadmagnet.editing.load import Loaded, load, load_form, load_text

SLUG = "six-core-videos"
AUTHOR = "shipped"


def load_shipped(session: Session, now: datetime) -> Loaded:
    """Load the six videos, the other emails and the two forms; what a marketer has edited stays."""
    done = load(session, read_files(content.SEQUENCES / SLUG), now, author=AUTHOR, shipped=True)
    for document in read_texts(content.MESSAGES):
        load_text(session, document, now, done, shipped=True)
    load_form(session, "landing", "Landing page", SLUG)
    load_form(session, "article-core", "Article: why a steady core is kind to your back", SLUG, article="core")
    return done
