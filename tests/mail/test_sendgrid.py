"""SendGrid against a stand-in that checks its rules: what is sent, and what each answer or silence means."""

import json
import logging
import time
from email.utils import formatdate

import pytest

from leadmagnet.domain.message import Content, MailError, Outcome
from leadmagnet.mail import SendGridMailer


@pytest.fixture
def mailer(sendgrid, sendgrid_key):
    return SendGridMailer(sendgrid_key, sendgrid.url, timeout=2)


@pytest.fixture
def impatient(sendgrid, sendgrid_key):
    return SendGridMailer(sendgrid_key, sendgrid.url, timeout=0.3)


def _outcomes(results):
    return [result.outcome for result in results]


def _letters(letter, count):
    return [letter(f"d{number}") for number in range(count)]


def _error(place, message="bad"):
    return {"message": message, "field": place}


def test_one_request_for_a_thousand(sendgrid, mailer, batch, letter):
    results = mailer.send(batch(*_letters(letter, 1000)))
    assert set(_outcomes(results)) == {Outcome.SENT}
    assert [len(request["personalizations"]) for request in sendgrid.requests] == [1000]
    mailer.send(batch(*_letters(letter, 1001)))
    assert [len(request["personalizations"]) for request in sendgrid.requests] == [1000, 1000, 1]


def test_the_request_id_is_kept(mailer, batch, letter):
    (result,) = mailer.send(batch(letter("d1")))
    assert (result.provider, result.provider_id) == ("sendgrid", "request-1")


def test_every_kind_of_tracking_is_off(sendgrid, mailer, batch, letter):
    mailer.send(batch(letter("d1")))
    settings = sendgrid.requests[0]["tracking_settings"]
    assert settings == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
        "ganalytics": {"enable": False},
    }


def test_only_our_id_goes_into_custom_arguments(sendgrid, mailer, batch, letter):
    mailer.send(batch(letter("d1"), letter("d2")))
    assert [own["custom_args"] for own in sendgrid.requests[0]["personalizations"]] == [
        {"lm_delivery": "d1"},
        {"lm_delivery": "d2"},
    ]
    assert "categories" not in sendgrid.requests[0]


def test_the_message_id_and_reply_address_travel(sendgrid, mailer, batch, letter):
    mailer.send(batch(letter("d1")))
    (one,) = sendgrid.delivered
    assert one.headers["Message-ID"] == "<d1@clinic.example>"
    assert one.reply_to == {"email": "desk@clinic.example"}
    assert one.sender == {"email": "videos@clinic.example", "name": "Core Clinic"}


def test_values_are_written_for_their_part(sendgrid, mailer, batch, letter):
    content = Content("S {{name}}", "<a title='{{name}}'>H {{name}}</a>", "T {{name}}")
    odd = letter("d1", values={"name": "a\n<b> & 'c'", "unused": "x"})
    mailer.send(batch(odd, letter("d2", values={"name": "Ann"}), content=content))
    one, other = sendgrid.delivered
    assert (other.subject, other.text) == ("S Ann", "T Ann")
    assert one.subject == "S a <b> & 'c'"
    assert one.html == "<a title='a\n&lt;b&gt; &amp; &#x27;c&#x27;'>H a\n&lt;b&gt; &amp; &#x27;c&#x27;</a>"
    assert one.text == "T a\n<b> & 'c'"
    assert len(sendgrid.requests[0]["personalizations"][0]["substitutions"]) == 3


def test_a_value_that_all_share_is_part_of_the_content(sendgrid, mailer, batch, letter):
    content = Content("S {{name}}", "<a title='{{name}}'>{{own}}</a>", "T {{name}} {{own}}")
    shared = {"name": "a\n<b> & 'c'"}
    mailer.send(batch(*(letter(one, values=shared | {"own": one}) for one in ("d1", "d2")), content=content))
    assert [one.subject for one in sendgrid.delivered] == ["S a <b> & 'c'"] * 2
    assert [one.html for one in sendgrid.delivered] == [
        f"<a title='a\n&lt;b&gt; &amp; &#x27;c&#x27;'>{own}</a>" for own in ("d1", "d2")
    ]
    assert [one.text for one in sendgrid.delivered] == [f"T a\n<b> & 'c' {own}" for own in ("d1", "d2")]
    (request,) = sendgrid.requests
    assert [len(own["substitutions"]) for own in request["personalizations"]] == [1, 1]
    assert request["subject"] == "S a <b> & 'c'"


def test_a_value_cannot_spell_a_tag_even_one_it_has_seen(sendgrid, mailer, batch, letter):
    others = letter("d1"), letter("d2", values={"name": "Bo", "link": "x"})
    mailer.send(batch(*others))
    old = sorted(sendgrid.requests[0]["personalizations"][0]["substitutions"])
    assert old
    evil = letter("d3", values={"name": " ".join(old), "link": "<script>x</script>"})
    # Alone its values are part of the content, among others they are its own.
    for letters in ((evil,), (evil, *others)):
        sendgrid.delivered.clear()
        mailer.send(batch(*letters))
        assert " ".join(old) in sendgrid.delivered[0].html
        assert "<script>" not in sendgrid.delivered[0].html


def test_without_slots_there_are_no_substitutions(sendgrid, mailer, batch, letter):
    mailer.send(batch(letter("d1"), content=Content("s", "<p>h</p>", "t")))
    assert "substitutions" not in sendgrid.requests[0]["personalizations"][0]


def test_names_lose_semicolons_and_commas(sendgrid, mailer, batch, letter):
    mailer.send(batch(letter("d1", to_name="Reader, Ann; MD"), letter("d2", to_name=" , "), from_name="Clinic, Inc."))
    assert [one.to_name for one in sendgrid.delivered] == ["Reader Ann MD", ""]
    assert sendgrid.delivered[0].sender["name"] == "Clinic Inc."


def test_too_many_bytes_of_values_fail_their_letter_alone(sendgrid, mailer, batch, letter):
    long = letter("d2", values={"name": "é" * 2_000, "link": "x"})
    results = mailer.send(batch(letter("d1"), long, letter("d3")))
    assert _outcomes(results) == [Outcome.SENT, Outcome.REJECTED, Outcome.SENT]
    assert "10000 bytes" in results[1].detail


def test_no_address_twice_in_one_request(sendgrid, mailer, batch, letter):
    same = [
        letter(name, to_email=email) for name, email in (("d1", "a@bücher.example"), ("d2", "A@xn--bcher-kva.example"))
    ]
    assert _outcomes(mailer.send(batch(*same, letter("d3")))) == [Outcome.SENT] * 3
    assert [len(request["personalizations"]) for request in sendgrid.requests] == [2, 1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_not_followed(sendgrid, mailer, plan, batch, letter, status):
    sendgrid.plans = [plan(status, {"Location": f"{sendgrid.url}/elsewhere"})]
    with pytest.raises(MailError) as caught:
        mailer.send(batch(letter("d1")))
    assert caught.value.permanent
    assert sendgrid.other_paths == []
    assert len(sendgrid.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 204])
def test_only_202_is_success(sendgrid, mailer, plan, batch, letter, status):
    sendgrid.plans = [plan(status)]
    with pytest.raises(MailError, match=str(status)) as caught:
        mailer.send(batch(letter("d1")))
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (403, True), (404, True), (405, True), (408, False), (415, True), (429, False)]
    + [(status, False) for status in (500, 503)],
)
def test_refusals_of_the_whole(sendgrid, mailer, plan, batch, letter, status, permanent):
    sendgrid.plans = [plan(status, errors=[_error("null", "as it is, ask desk@clinic.example")])]
    with pytest.raises(MailError) as caught:
        mailer.send(batch(letter("d1"), letter("d2")))
    assert caught.value.permanent is permanent
    assert str(caught.value) == f"sendgrid: {status} as it is, ask (address)"
    assert caught.value.retry_after is None


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_answers_leaves_the_letters_unknown(sendgrid, mailer, plan, batch, letter, status):
    """The request was written to its end; whether SendGrid has taken it, the gateway cannot know."""
    sendgrid.plans = [plan(status, errors=[_error("null", "upstream, ask desk@clinic.example")])]
    results = mailer.send(batch(letter("d1"), letter("d2")))
    assert [result.outcome for result in results] == [Outcome.UNKNOWN] * 2
    assert {result.detail for result in results} == {f"a gateway answered: {status} upstream, ask (address)"}
    assert len(sendgrid.requests) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_behind_a_gateway_s_answer_nothing_more_is_tried(sendgrid, mailer, plan, batch, letter, status):
    sendgrid.plans = [plan(202), plan(status), plan(202)]
    same = [letter(f"d{number}")._replace(to_email="anna@example.org") for number in range(3)]
    results = mailer.send(batch(*same))
    assert [result.outcome for result in results] == [Outcome.SENT, Outcome.UNKNOWN, Outcome.RETRY]
    assert len(sendgrid.requests) == 2


def test_a_wrong_key(sendgrid, batch, letter):
    with pytest.raises(MailError, match="401") as caught:
        SendGridMailer("SG.other", sendgrid.url, 2).send(batch(letter("d1")))
    assert caught.value.permanent
    assert "SG.other" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry-After": "17"}, 17, 17),
        ({"Retry-After": "17", "X-RateLimit-Reset": "1"}, 17, 17),
        ({"Retry-After": "<date in a minute>"}, 57, 61),
        ({"X-RateLimit-Reset": "<epoch in a minute>"}, 57, 61),
        ({"X-RateLimit-Reset": "1"}, 0, 0),
        ({"Retry-After": "9" * 12}, 86_400, 86_400),
    ],
)
def test_the_time_to_wait_is_what_the_provider_says(sendgrid, mailer, plan, batch, letter, headers, low, high):
    soon = time.time() + 60
    instants = {"<date in a minute>": formatdate(soon, usegmt=True), "<epoch in a minute>": str(int(soon))}
    sendgrid.plans = [plan(429, {name: instants.get(value, value) for name, value in headers.items()})]
    with pytest.raises(MailError) as caught:
        mailer.send(batch(letter("d1")))
    assert low <= caught.value.retry_after <= high


@pytest.mark.parametrize("headers", [{"Retry-After": "soon"}, {"X-RateLimit-Reset": "nan"}, {"Retry-After": "-5"}])
def test_nonsense_names_no_time(sendgrid, mailer, plan, batch, letter, headers):
    sendgrid.plans = [plan(503, headers)]
    with pytest.raises(MailError) as caught:
        mailer.send(batch(letter("d1")))
    assert caught.value.retry_after is None


def test_too_large_is_halved_until_it_fits(sendgrid, mailer, batch, letter):
    sendgrid.most_bytes = 4_000
    results = mailer.send(batch(*_letters(letter, 9)))
    assert _outcomes(results) == [Outcome.SENT] * 9
    assert 413 in sendgrid.statuses
    assert sorted(one.to_email for one in sendgrid.delivered) == [f"d{n}@reader.example" for n in range(9)]


def test_one_letter_that_is_too_large_is_refused(sendgrid, mailer, batch, letter):
    sendgrid.most_bytes = 4_000
    big = letter("d1", values={"name": "x" * 3_000, "link": "x"})
    results = mailer.send(batch(letter("d0"), big, letter("d2")))
    assert _outcomes(results) == [Outcome.SENT, Outcome.REJECTED, Outcome.SENT]
    assert "413" in results[1].detail


def test_a_request_stays_below_the_providers_limit(sendgrid, mailer, batch, letter, monkeypatch):
    monkeypatch.setattr("leadmagnet.mail.sendgrid.MOST_BODY_BYTES", 3_000)
    results = mailer.send(batch(*_letters(letter, 9)))
    assert _outcomes(results) == [Outcome.SENT] * 9
    assert set(sendgrid.statuses) == {202}
    assert max(len(json.dumps(request)) for request in sendgrid.requests) < 3_500
    big = letter("d1", values={"name": "x" * 3_000, "link": "x"})
    (refused,) = mailer.send(batch(big))
    assert refused.outcome is Outcome.REJECTED
    assert "SendGrid takes 3000" in refused.detail


def test_plain_values_are_sent_once_for_both_parts(sendgrid, mailer, batch, letter):
    content = Content("s", "<p>{{name}} {{link}}</p>", "{{name}} {{link}}")
    two = (("d1", {"name": "Ann", "link": "https://x.example/?t=1"}), ("d0", {"name": "Bo", "link": "x"}))
    mailer.send(batch(*(letter(one, values=values) for one, values in two), content=content))
    plain, rich = sendgrid.delivered[0].text, sendgrid.delivered[0].html
    assert (plain, rich) == ("Ann https://x.example/?t=1", "<p>Ann https://x.example/?t=1</p>")
    assert len(sendgrid.requests[0]["personalizations"][0]["substitutions"]) == 2
    # One letter with something to escape is enough to write that slot twice for all.
    other = letter("d3", values={"name": "O'Neil", "link": "y"})
    mailer.send(batch(letter("d2", values={"name": "Ann", "link": "x"}), other, content=content))
    assert [len(own["substitutions"]) for own in sendgrid.requests[1]["personalizations"]] == [3, 3]
    assert sendgrid.delivered[3].html == "<p>O&#x27;Neil y</p>"


def test_letters_named_in_a_400_are_refused_and_the_rest_is_sent(sendgrid, mailer, batch, letter):
    sendgrid.refused = {"d1@reader.example", "d3@reader.example"}
    results = mailer.send(batch(*_letters(letter, 5)))
    wanted = [Outcome.SENT, Outcome.REJECTED, Outcome.SENT, Outcome.REJECTED, Outcome.SENT]
    assert _outcomes(results) == wanted
    assert results[1].detail == "400 Does not contain a valid address: (address)"
    assert sendgrid.statuses == [400, 202]


def test_the_rest_is_sent_again_only_once(sendgrid, mailer, batch, letter):
    sendgrid.refused = {"d1@reader.example", "d3@reader.example"}
    sendgrid.name_all = False
    results = mailer.send(batch(*_letters(letter, 5)))
    wanted = [Outcome.RETRY, Outcome.REJECTED, Outcome.RETRY, Outcome.REJECTED, Outcome.RETRY]
    assert _outcomes(results) == wanted
    assert sendgrid.statuses == [400, 400]


@pytest.mark.parametrize(
    "errors",
    [
        [_error("from.email")],
        [_error("personalizations")],
        [_error("personalizations.0.to.0.email"), _error("content.0.value")],
        [_error("personalizations.7.to.0.email")],
        [_error(None)],
        ["words"],
        [],
    ],
)
def test_any_other_400_stops_the_queue(sendgrid, mailer, plan, batch, letter, errors):
    sendgrid.plans = [plan(400, errors=errors)]
    with pytest.raises(MailError) as caught:
        mailer.send(batch(letter("d1"), letter("d2")))
    assert caught.value.permanent
    assert len(sendgrid.requests) == 1


def test_a_refused_address_alone(sendgrid, mailer, batch, letter):
    sendgrid.refused = {"d1@reader.example"}
    assert _outcomes(mailer.send(batch(letter("d1")))) == [Outcome.REJECTED]
    assert sendgrid.statuses == [400]


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("how", ["cut", "late"])
def test_no_answer_leaves_the_request_unknown(sendgrid, impatient, plan, batch, letter, how, accepted):
    sendgrid.plans = [plan(cut=how == "cut", late=5 if how == "late" else 0, accept_first=accepted)]
    begun = time.monotonic()
    results = impatient.send(batch(letter("d1"), letter("d2")))
    assert _outcomes(results) == [Outcome.UNKNOWN] * 2
    assert time.monotonic() - begun < 2
    assert len(sendgrid.requests) == 1


def test_after_silence_the_other_requests_wait(sendgrid, impatient, plan, batch, letter):
    sendgrid.plans = [plan(), plan(cut=True)]
    letters = [letter(f"d{number}", to_email="same@reader.example") for number in range(3)]
    assert _outcomes(impatient.send(batch(*letters))) == [Outcome.SENT, Outcome.UNKNOWN, Outcome.RETRY]


def test_a_refusal_half_way_keeps_what_was_sent(sendgrid, mailer, plan, batch, letter):
    sendgrid.plans = [plan(), plan(429, {"Retry-After": "9"})]
    letters = [letter(f"d{number}", to_email="same@reader.example") for number in range(3)]
    results = mailer.send(batch(*letters))
    assert _outcomes(results) == [Outcome.SENT, Outcome.RETRY, Outcome.RETRY]
    assert [result.retry_after for result in results] == [None, 9, 9]


def test_nobody_listening(closed_port, no_proxy, batch, letter):
    with pytest.raises(MailError, match="not reached") as caught:
        SendGridMailer("SG.x", f"http://127.0.0.1:{closed_port}", 0.3).send(batch(letter("d1")))
    assert not caught.value.permanent


def test_an_unusable_sender_stops_the_queue(sendgrid, mailer, batch, letter):
    with pytest.raises(MailError) as caught:
        mailer.send(batch(letter("d1"), from_email="x\r\n@y"))
    assert caught.value.permanent
    assert sendgrid.requests == []


def test_an_answer_cut_in_its_body_still_counts(scripted, no_proxy, batch, letter):
    def answer(status):
        return scripted(f"HTTP/1.1 {status}\r\nX-Message-Id: m1\r\nContent-Length: 99\r\n\r\n{{").url.replace(
            "smtp", "http"
        )

    assert _outcomes(SendGridMailer("SG.x", answer("202 Accepted"), 1).send(batch(letter("d1")))) == [Outcome.SENT]
    with pytest.raises(MailError, match="503"):
        SendGridMailer("SG.x", answer("503 Busy"), 1).send(batch(letter("d1")))


def test_what_is_no_http_is_unknown(scripted, no_proxy, batch, letter):
    url = scripted("220 mx.example ESMTP").url.replace("smtp", "http")
    assert _outcomes(SendGridMailer("SG.x", url, 1).send(batch(letter("d1")))) == [Outcome.UNKNOWN]


def test_neither_keys_nor_addresses_are_logged(sendgrid, mailer, sendgrid_key, batch, letter, caplog):
    caplog.set_level(logging.DEBUG)
    mailer.send(batch(letter("d1")))
    assert sendgrid.delivered
    assert sendgrid_key not in caplog.text
    assert "reader.example" not in caplog.text


def test_the_content_is_sent_once_and_is_json(sendgrid, mailer, batch, letter):
    mailer.send(batch(*_letters(letter, 50)))
    assert json.dumps(sendgrid.requests[0]).count("your first video") == 1
