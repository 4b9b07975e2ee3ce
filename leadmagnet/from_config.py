"""What a pass and the forms work with, as the settings name it: the send path's parts, its limits, the forms' guard."""

from __future__ import annotations

from functools import partial

from config import Config
from leadmagnet.delivery.send import Post
from leadmagnet.domain.admission import Caps
from leadmagnet.domain.rates import DomainRates, Limits
from leadmagnet.enrollment.plan import plan_settled
from leadmagnet.hearing import hear_first
from leadmagnet.services import Services
from leadmagnet.signup.admission import Guard


def limits_from(config: Config) -> Limits:
    """Return the limits that the settings name."""
    named = dict(config.domain_rate)
    domains = DomainRates(others=named.pop("*", None), named=tuple(named.items()))
    day = config.daily_cap, config.warm_up, config.warm_up_start, config.clinic_timezone
    return Limits(config.send_rate, *day, domains=domains)


def guard_from(config: Config) -> Guard:
    """Return what stands between forms and inboxes, as the settings name it."""
    caps = Caps(config.signup_network_cap, config.signup_form_cap, config.signup_hourly_cap, config.signup_address_cap)
    return Guard(caps, config.secret_keys, trial=config.is_trial)


def post_of(services: Services) -> Post:
    """Return what the send path needs."""
    config = services.config
    return Post(
        services.engine,
        services.mailer,
        services.clinic,
        services.links,
        config.claim_lease_seconds,
        config.evidence_window_seconds,
        listens=bool(config.sendgrid_webhook_public_key),
        limits=limits_from(config),
        plan_next=plan_settled,
        hear_first=partial(hear_first, services),
        suppression_key=config.suppression_key,
    )
