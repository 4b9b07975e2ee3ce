"""Sending: stop everything and let it go on, what waits, and what could not be sent.

Must not know: how a letter is sent.
"""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from leadmagnet import store
from leadmagnet.delivery.again import try_again
from leadmagnet.delivery.pace import standing
from leadmagnet.domain.rates import day_limit, ramp_today
from leadmagnet.hearing import came_lately, refused_lately
from leadmagnet.tick import limits_from
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing.desk import actor, blueprint, editors, moment

#: Emails on a page, and the most that one press tries again.
SHOWN, MOST = 50, 1000


@blueprint.get("/sending")
def sending() -> str:
    """Show what waits, and what could not be sent."""
    here, at = moment(), now()
    before = request.args.get("before", type=int)
    with store.reading(services().engine) as session:
        rows = store.dead_letters.page(session, SHOWN + 1, before)
        limits = limits_from(services().config)
        pace = standing(session, limits, at.real)
        halt, waits = store.halts.current(session), store.dead_letters.queue(session, at.course)
        pauses = store.pauses.standing(session)
        came, refused = came_lately(session, at.real), refused_lately(session, at.real)
    reasons: dict[str, int] = {}
    for row in rows[:SHOWN]:
        if row.status == "failed" and row.kind != "reminder":
            reasons[row.detail] = reasons.get(row.detail, 0) + 1
    return render_template(
        "marketing/sending.html",
        here=here,
        rows=rows[:SHOWN],
        older=rows[SHOWN - 1].id if len(rows) > SHOWN else None,
        halt=halt,
        stopped=halt is not None and halt.blocks(at.real),
        waits=waits,
        came=came,
        refused=refused,
        pauses=pauses,
        limits=limits,
        pace=pace,
        today_most=day_limit(limits, pace.ramp_began, pace.day),
        ramp=ramp_today(limits, pace.ramp_began, pace.day),
        reasons=[reason for reason, count in reasons.items() if count > 1],
    )


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


@blueprint.post("/sending/retry")
@editors
def retry_sending() -> Response:
    """Try one failed email again, or all of which the same was said."""
    chosen, reason = request.form.get("id", type=int), request.form.get("reason")
    with store.writing(services().engine) as session:
        same = store.dead_letters.same_reason(session, reason, MOST) if reason is not None else []
        done, left = try_again(session, same if chosen is None else [chosen], now())
    words = f"{done} email{'s' * (done != 1)} will go out again."
    why = "another email goes out that day, it was a reminder, or its sequence is paused"
    flash(words + (f" {left} not: {why}." if left else ""))
    return redirect(url_for("marketing.sending"), 303)
