"""Sign-ups that are held because very many came at once: from where, and what is to become of them.

Must not know: when a sign-up is held.
"""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from leadmagnet import store
from leadmagnet.audience.marks import marks_of
from leadmagnet.store.forms import Form
from leadmagnet.store.held import Pick
from leadmagnet.store.signups import SignUp
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing import words
from leadmagnet.web.marketing.desk import actor, blueprint, editors, moment

#: Sign-ups on a page, and the places named in each table of where they came from.
SHOWN, PLACES = 50, 5
#: A number no row has: what is no number picks nothing.
NOBODY = 0
#: Numbers of rows have fewer digits.
DIGITS = 19


def _pick(given: dict[str, str]) -> Pick:
    """Return which sign-ups an address or a form asks for; all, where it names nothing."""
    number, network, form = (given.get(name) for name in ("id", "network", "form"))
    return Pick(_number(number), _text(network), _text(form))


def _number(value: str | None) -> int | None:
    if value is None:
        return None
    return int(value) if value.isascii() and value.isdigit() and len(value) < DIGITS else NOBODY


def _text(value: str | None) -> str | None:
    return None if value is None else value.replace("\0", "")[:64]


@blueprint.get("/signups")
def held_sign_ups() -> str:
    """Show what is held."""
    pick, here, before = _pick(request.args), moment(), _number(request.args.get("before"))
    with store.reading(services().engine) as session:
        rows = store.held.page(session, pick, SHOWN + 1, before)
        forms = {form.slug: form.title for form in session.query(Form)}
        return render_template(
            "marketing/held.html",
            here=here,
            lines=[_line(row, forms) for row in rows[:SHOWN]],
            older=rows[SHOWN - 1].id if len(rows) > SHOWN else None,
            total=store.held.count(session),
            found=store.held.count(session, pick),
            networks=store.held.most(session, SignUp.network, PLACES),
            forms=[(slug, forms.get(slug, slug), n) for slug, n in store.held.most(session, SignUp.form, PLACES)],
            pages=store.held.most(session, SignUp.page, PLACES),
            this={name: value for name in ("network", "form") if (value := _text(request.args.get(name))) is not None},
            form_title=forms.get(pick.form or "", pick.form),
        )


def _line(row: SignUp, forms: dict[str, str]) -> dict[str, object]:
    return {
        "row": row,
        "form": forms.get(row.form, row.form),
        "marks": [words.MARKS[mark] for mark in marks_of(row.email_canonical)],
        "why": words.HELD_BY.get(row.held, row.held),
    }


@blueprint.post("/signups/release")
@editors
def release_sign_ups() -> Response:
    """Let one go on, those of a network or a form, or all."""
    with store.writing(services().engine) as session:
        done = store.held.release(session, _pick(request.form), actor())
    return _done(f"{_many(done)} let through. {'It gets' if done == 1 else 'They get'} the confirmation now.", done)


@blueprint.route("/signups/discard", methods=["GET", "POST"])
@editors
def discard_sign_ups() -> Response | str:
    """Ask, then throw away; a single one goes without asking."""
    if request.method == "GET":
        pick = _pick(request.args)
        with store.reading(services().engine) as session:
            found, forms = store.held.count(session, pick), {f.slug: f.title for f in session.query(Form)}
        if not found:
            abort(404)
        title = forms.get(pick.form or "", pick.form)
        return render_template("marketing/discard.html", found=found, pick=pick, form_title=title)
    with store.writing(services().engine) as session:
        done = store.held.discard(session, _pick(request.form), actor(), now().real)
    return _done(f"{_many(done)} discarded. Nothing was sent.", done)


def _many(number: int) -> str:
    return f"{number:,} sign-up{'' if number == 1 else 's'}"


def _done(said: str, number: int) -> Response:
    flash(said if number else "Nothing changed: somebody else was quicker.")
    return redirect(url_for("marketing.held_sign_ups"), 303)
