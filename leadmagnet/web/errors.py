"""Error pages in plain, warm words. They never show what went wrong inside, nor anything that was sent.

Must not know: any one page.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, make_response
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from leadmagnet.web.subscriber.tokens import OldLink

_PAGES = {
    400: ("That didn’t arrive as it should", "Please go back, load the page once more, and try again."),
    403: ("This page needs the link from your email", "Open the email with the video and press its button."),
    404: ("There’s nothing here", "The address may have a slip in it, or the page has moved."),
    405: ("That can’t be done here", "Please go back and use the button on the page."),
    413: ("That was more than we can take", "Please shorten what you wrote and send it again."),
    415: ("That didn’t arrive as it should", "This page takes what its own form sends, and nothing else."),
    422: ("Something needs another look", "Please go back and look over the form."),
    429: ("Too much at once", "Please wait a few minutes and try again."),
    500: ("Something went wrong on our side", "Nothing of yours is lost. Please try again in a few minutes."),
    503: ("We’ll be back in a moment", "Please try again in a few minutes, or call us."),
}
_HOME = {"href": "/", "words": "Go to the start page"}


def register(app: Flask) -> None:
    """Give every HTTP error one of our pages."""
    app.register_error_handler(OldLink, _old_link)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _page)


def too_much() -> str:
    """Return the page for somebody who comes too often: the same for everybody, so it may be kept."""
    return _text(*_PAGES[429], show_phone=False)


def _page(error: HTTPException) -> Response:
    if error.response is not None:
        # Whoever raised it has brought the answer along.
        return error.response  # type: ignore[return-value]  # werkzeug's response, which Flask takes
    code = error.code or 500
    if code < 400:
        # A redirect of the router's own.
        return error.get_response()  # type: ignore[return-value]  # werkzeug's response, which Flask takes
    heading, words = _PAGES.get(code, _PAGES[400] if code < 500 else _PAGES[500])
    return _answer(heading, words, code, show_phone=code >= 500)


def _old_link(_error: OldLink) -> Response:
    heading = "This link is old or was cut in two"
    words = "Please copy the whole link from the email. If that doesn’t help, sign up once more; it takes a moment."
    return _answer(heading, words, 404, show_phone=False)


def _stale_form(_error: CSRFError) -> Response:
    heading = "This page lay open for a while"
    words = "Please go back, load it once more, and press the button again. Your browser has to allow our small cookie."
    return _answer(heading, words, 400, show_phone=False)


def _answer(heading: str, words: str, code: int, *, show_phone: bool) -> Response:
    return make_response(_text(heading, words, show_phone=show_phone), code)


def _text(heading: str, words: str, *, show_phone: bool) -> str:
    # Without Flask's context processors: one of them looks for an account in the body, which may be what is too large.
    template = current_app.jinja_env.get_template("message.html")
    return template.render(heading=heading, words=words, link=_HOME, show_phone=show_phone)
