"""Bodies that no form sends: JSON that is no object, broken JSON, wrong encodings. None of them is our fault."""

from __future__ import annotations

import re

import pytest

BODIES = [b'"x"', b"[1]", b"5", b"null", b"true", b"{}", b'{"auth_token": []}', b"{", b"\xff\xfe", b""]


@pytest.fixture
def addresses(app) -> list[tuple[str, str]]:
    """Every method of every address of the workspace, and those that no address takes."""
    paths = [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin")]
    filled = {re.sub("<int:[^>]+>", "1", path).replace("<path:filename>", "desk.css") for path in paths}
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
    return [(method, path) for path in sorted(filled | {"/admin/nowhere"}) for method in methods]


@pytest.mark.parametrize("role", ["", "owner"])
@pytest.mark.parametrize("body", BODIES)
def test_no_body_breaks_a_page_of_the_workspace(desk, addresses, body, role):
    if role:
        desk.sign_in(role)
    assert len(addresses) > 50
    found = {}
    for method, path in addresses:
        answer = desk.client.open(path, method=method, data=body, content_type="application/json", buffered=True)
        if answer.status_code >= 500:
            found[method, path] = answer.status_code
    assert not found


@pytest.mark.parametrize("body", BODIES)
def test_the_sign_in_page_takes_no_json(desk, body):
    answer = desk.client.get("/admin/login", data=body, content_type="application/json")
    assert answer.status_code == 415
    assert "That didn’t arrive as it should" in answer.text
    assert desk.client.post("/admin/login", data=body, content_type="application/json").status_code in (400, 415)


@pytest.mark.parametrize("body", BODIES)
def test_no_other_page_breaks_either(app, desk, body):
    paths = sorted({re.sub("<(?:int:|path:)?[^>]+>", "1", rule.rule) for rule in app.url_map.iter_rules()})
    for path in paths:
        for method in ("GET", "POST"):
            answer = desk.client.open(path, method=method, data=body, content_type="application/json", buffered=True)
            # /readyz says 503 where no worker runs.
            assert answer.status_code < 500 or path == "/readyz", (method, path)
