"""Every kind of request we make, against SendGrid's own description of what it takes."""

import importlib.util
import json
from pathlib import Path

import pytest

from leadmagnet.domain.message import Content
from leadmagnet.mail import SendGridMailer

#: Lies beside the checkout; it is SendGrid's, so it is read from there and not copied.
SPEC = Path(__file__).parents[2].parent / "shared" / "sendgrid" / "tsg_mail_v3.json"


def _load():
    spec = importlib.util.spec_from_file_location("leadmagnet_tests_openapi", Path(__file__).with_name("openapi.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


openapi = _load()


# Not `missing`: a checkout without the file is no fault, under CI=true either.
@pytest.mark.skipif(not SPEC.is_file(), reason=f"{SPEC.name} does not lie beside the checkout")
def test_every_request_is_one_that_sendgrid_describes(sendgrid, sendgrid_key, plan, batch, letter):
    spec = json.loads(SPEC.read_text(encoding="utf-8"))
    schema = openapi.request_schema(spec)
    mailer = SendGridMailer(sendgrid_key, sendgrid.url, 5)
    mailer.send(batch(*(letter(f"d{number}") for number in range(1001))))
    hostile = ["", "\x00\r\n", "Zoë 京 🧘🏽", "\ud83d half", "<b>&\"'", "{{name}}", ";,", "x" * 900, "é" * 300]
    names = [letter(f"d{at}", to_name=name, values={"name": name, "link": name}) for at, name in enumerate(hostile)]
    mailer.send(batch(*names))
    mailer.send(batch(letter("d1", headers={}, to_name=""), content=Content("s", "<p>h</p>", "t"), reply_to=""))
    mailer.send(batch(letter("d1"), letter("d2", to_email="d1@reader.example"), from_name=""))
    sendgrid.refused = {"d1@reader.example"}
    mailer.send(batch(letter("d1"), letter("d2")))
    sendgrid.plans = [plan(413)]
    mailer.send(batch(letter("d3"), letter("d4")))
    assert len(sendgrid.requests) == 11
    assert [error for request in sendgrid.requests for error in openapi.errors(request, schema, spec)] == []


TINY = {
    "components": {"schemas": {"Person": {"type": "object", "required": ["email"], "properties": {
        "email": {"type": "string", "format": "email"}, "name": {"type": "string", "minLength": 1}}}}},
}  # fmt: skip
PERSON = {"$ref": "#/components/schemas/Person"}


@pytest.mark.parametrize(
    ("value", "schema", "error"),
    [
        ({"email": "a@b.example"}, PERSON, None),
        ({}, PERSON, "body.email: missing"),
        ({"email": "ab"}, PERSON, "body.email: no email address"),
        ({"email": "a@b", "name": ""}, PERSON, "body.name: too short or too long"),
        ({"email": "a@b", "nick": "x"}, PERSON, "body.nick: unknown"),
        ([{}], {"type": "array", "items": PERSON}, "body.0.email: missing"),
        ([1, 2], {"type": "array", "maxItems": 1}, "body: 2 are too few or too many"),
        (["a", "a"], {"type": "array", "uniqueItems": True}, "body: one is there twice"),
        ({"a": 1}, {"type": "object", "additionalProperties": {"type": "string"}}, "body.a: no string"),
        (True, {"type": "integer"}, "body: no integer"),
        ("c", {"type": "string", "enum": ["a", "b"]}, "body: not one of ['a', 'b']"),
        ("c", {"pattern": "a"}, "body: the schema says what we do not check: ['pattern']"),
    ],
)
def test_the_check_itself_finds_what_is_wrong(value, schema, error):
    assert list(openapi.errors(value, schema, TINY)) == ([error] if error else [])
