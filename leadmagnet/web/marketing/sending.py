"""Sending: stop everything and let it go on, what waits, and which emails nobody knows the fate of.

Must not know: how a letter is sent.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from leadmagnet import store
from leadmagnet.delivery.pace import standing
from leadmagnet.domain.rates import day_limit, ramp_today
from leadmagnet.from_config import limits_from
from leadmagnet.hearing import came_lately, refused_lately
from leadmagnet.store.dead_letters import MOST_COUNTED
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing import words
from leadmagnet.web.marketing.desk import actor, blueprint, editors, moment
from leadmagnet.web.marketing.failed import SHOWN, failures, page

WEEK = timedelta(days=7)


@blueprint.get("/sending")
def sending() -> str:
    """Show what waits, and what could not be sent."""
    here, at = moment(), now()
    reason, before = request.args.get("reason"), request.args.get("before", type=int)
    with store.reading(services().engine) as session:
        limits = limits_from(services().config)
        pace = standing(session, limits, at.real)
        halt, waits = store.halts.current(session), store.dead_letters.queue(session, at.course)
        pauses = store.pauses.standing(session)
        unsure = store.dead_letters.unknown(session, SHOWN)
        sent_again = store.dead_letters.sent_again(session, at.course - WEEK)
        groups = failures(session)
        rows, older = page(session, reason, before)
        came, refused = came_lately(session, at.real), refused_lately(session, at.real)
    return render_template(
        "marketing/sending.html",
        here=here,
        halt=halt,
        stopped=halt is not None and halt.blocks(at.real),
        waits=waits,
        most_counted=MOST_COUNTED,
        came=came,
        refused=refused,
        pauses=pauses,
        brake=store.halts.BRAKE,
        kind=words.kind,
        limits=limits,
        pace=pace,
        today_most=day_limit(limits, pace.ramp_began, pace.day),
        ramp=ramp_today(limits, pace.ramp_began, pace.day),
        sent_again=sent_again,
        unsure=[(row, _minutes(row.lease_until, at.real)) for row in unsure],
        groups=groups,
        reason=reason,
        rows=rows,
        older=older,
    )


def _minutes(until: datetime | None, now: datetime) -> int:
    return max(1, math.ceil((until - now).total_seconds() / 60)) if until else 1


@blueprint.route("/sending/stop", methods=["GET", "POST"])
@editors
def stop_sending() -> Response | str:
    """Ask, then stop all sending."""
    if request.method == "GET":
        return render_template("marketing/stop-sending.html")
    reason = " ".join(request.form.get("reason", "").split())[:200]
    with store.writing(services().engine) as session:
        store.halts.stop_by_hand(session, reason or "no reason given", actor(), now().real)
    flash("Stopped. Nothing goes out until somebody lets it go on.")
    return redirect(url_for("marketing.sending"), 303)


@blueprint.post("/sending/go")
@editors
def go_on_sending() -> Response:
    """Let sending go on."""
    with store.writing(services().engine) as session:
        store.halts.go(session)
    flash("Sending goes on. Nobody gets more than one email a day.")
    return redirect(url_for("marketing.sending"), 303)
