"""Pause a sequence for everybody, and let it go on.

Must not know: how the queue is held.
"""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from leadmagnet import pauses, store
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing.desk import actor, blueprint, editors


@blueprint.route("/sequence/<slug>/pause", methods=["GET", "POST"])
@editors
def pause_sequence(slug: str) -> Response | str:
    """Ask, then pause a sequence."""
    if request.method == "GET":
        with store.reading(services().engine) as session:
            found = store.sequences.by_slug(session, slug)
        if found is None:
            abort(404)
        return render_template("marketing/pause-sequence.html", sequence=found)
    done = pauses.pause(services(), slug, now().course, actor())
    if done is None:
        abort(404)
    flash(f"Paused. {_waits(done.waiting)}; when it goes on, nobody gets two at once.")
    return redirect(url_for("marketing.sequence"), 303)


@blueprint.post("/sequence/<slug>/resume")
@editors
def resume_sequence(slug: str) -> Response:
    """Let a sequence go on."""
    done = pauses.resume(services(), slug, now().course, actor())
    if done is None:
        abort(404)
    gone_on = f"The sequence goes on. {_waits(done.waiting)}: each person gets one at their usual hours, never two."
    flash(gone_on if done.changed else "The sequence was not paused.")
    return redirect(url_for("marketing.sequence"), 303)


def _waits(count: int) -> str:
    return f"{count:,} email{' waits' if count == 1 else 's wait'}"
