"""HTTP and nothing else: requests in, rooms called, pages out. Views open the transactions; rooms never commit.

GET changes nothing that a subscriber is or gets. Must not know: rules, tables, providers.
"""

from __future__ import annotations

from flask import Flask

from leadmagnet.services import Services
from leadmagnet.web import assets, errors, floods, health, marketing, once_more, outbox, pages, robots, security
from leadmagnet.web.public import articles, challenge, landing
from leadmagnet.web.subscriber import (
    address,
    calendar,
    confirm,
    data,
    done,
    erase,
    leave,
    link,
    own_page,
    video,
    which_emails,
)
from leadmagnet.web.webhooks import inbound
from leadmagnet.web.webhooks import sendgrid as webhook


def register(app: Flask) -> None:
    """Give the application its pages, headers, error pages and cookies."""
    parts: Services = app.extensions["leadmagnet"]
    floods.register(app, parts.config)
    security.register(app, parts.config)
    assets.register(app)
    errors.register(app)
    once_more.register(app)
    webhook.register(app, parts.config.sendgrid_webhook_public_key)
    people = confirm, video, done, leave, own_page, which_emails, calendar, data, address, erase, link
    for room in (landing, challenge, articles, *people, outbox, health, robots, inbound):
        app.register_blueprint(room.blueprint)
    app.jinja_env.globals.update(clinic=parts.clinic, hero=pages.hero, sample_clinic=parts.config.is_sample_clinic)
    marketing.register(app)
    security.limit_json(app)
