"""Files for the browser: our own style sheets and scripts, and the content's media. Addresses carry a content hash.

Small text files are kept compressed in memory; films and pictures come from the disk, with range requests.
Must not know: which page shows a file.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, make_response, request, send_from_directory, url_for
from werkzeug.security import safe_join

from leadmagnet.content import MEDIA
from leadmagnet.web.ranges import sound_range

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".mp4": "video/mp4",
}
_TEXTS = (".css", ".js", ".svg", ".vtt")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, max-age=300"
#: Drawings run nothing and load nothing.
_DRAWING_POLICY = "default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)

blueprint = Blueprint("assets", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class Text:
    """A small text file in memory."""

    plain: bytes
    packed: bytes
    etag: str
    styles: tuple[str, ...]
    """Hashes of the styles inside: drawings carry their own, for dark mode."""


@cache
def _load(path: Path, _changed: int) -> Text:
    plain = path.read_bytes()
    styles = tuple(b64encode(hashlib.sha256(style).digest()).decode() for style in _STYLE.findall(plain))
    return Text(plain, gzip.compress(plain, mtime=0), hashlib.sha256(plain).hexdigest()[:12], styles)


@cache
def _hash(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _there(folder: Path, name: str) -> Path | None:
    """Return the file of this name, None where there is none; no file has a name that the system finds too long."""
    found = safe_join(str(folder), name)
    try:
        return Path(found) if found and Path(found).is_file() else None
    except OSError:
        return None


def _version(folder: Path, name: str) -> str:
    """Return the hash of a file's content; an empty text where there is no such file."""
    path = _there(folder, name)
    if path is None:
        return ""
    stat = path.stat()
    return _hash(path, stat.st_mtime_ns, stat.st_size)


def static_url(name: str) -> str:
    """Return the address of one of our own files, for templates: `asset('site.css')`."""
    return url_for("assets.static", name=name, v=_version(STATIC, name) or None)


def media_url(path: str) -> str:
    """Return the address of a media file as front matter names it; an https address of elsewhere stays as it is."""
    if path.startswith("https://"):
        return path
    name = path.lstrip("/").removeprefix("media/")
    return url_for("assets.media", name=name, v=_version(MEDIA, name) or None)


def has_media(path: str) -> bool:
    """Say whether the file can be shown: an https address, or a file that is there."""
    return path.startswith("https://") or bool(_version(MEDIA, path.lstrip("/").removeprefix("media/")))


@blueprint.get("/static/<path:name>", endpoint="static")
def static_file(name: str) -> Response:
    """Send one of our own files."""
    return _send(STATIC, name)


@blueprint.get("/media/<path:name>")
def media(name: str) -> Response:
    """Send a film, poster, picture or captions file."""
    return _send(MEDIA, name)


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Send the sign for browsers that ask for it without being told."""
    return _send(STATIC, "favicon.svg")


def _send(folder: Path, name: str) -> Response:
    path = _there(folder, name)
    if path is None or path.suffix == ".json":
        abort(404)
    if path.suffix in _TEXTS:
        response = _send_text(path)
    else:
        _settle_range(path)
        response = send_from_directory(folder, name, mimetype=_TYPES.get(path.suffix), conditional=True)
    asked = request.args.get("v")
    response.headers["Cache-Control"] = _FOR_EVER if asked and asked == _version(folder, name) else _ASK_AGAIN
    if folder == MEDIA:
        # Emails show pictures of ours inside other sites, and the form may stand on one.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _settle_range(path: Path) -> None:
    asked = request.environ.pop("HTTP_RANGE", "")
    if kept := sound_range(asked, path.stat().st_size):
        request.environ["HTTP_RANGE"] = kept


def _send_text(path: Path) -> Response:
    text = _load(path, path.stat().st_mtime_ns)
    packs = bool(request.accept_encodings["gzip"])
    response = make_response(text.packed if packs else text.plain)
    response.headers["Content-Type"] = _TYPES[path.suffix]
    response.headers["Vary"] = "Accept-Encoding"
    if path.suffix == ".svg":
        styles = " ".join(f"'sha256-{style}'" for style in text.styles) or "'none'"
        response.headers["Content-Security-Policy"] = f"{_DRAWING_POLICY}; style-src {styles}"
    if packs:
        response.headers["Content-Encoding"] = "gzip"
    # Two encodings are two representations, so each has a tag of its own.
    response.set_etag(f"{text.etag}-gzip" if packs else text.etag)
    response.make_conditional(request)
    return response


def register(app: Flask) -> None:
    """Serve the files, and give templates their addresses."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(asset=static_url, media=media_url)
