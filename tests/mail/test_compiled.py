"""The compiled body: whatever the values are, a reader's program decodes exactly what `expand` gives."""

import base64
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leadmagnet.domain.message import Content, UnknownSlot, expand
from leadmagnet.mail import Composer
from leadmagnet.mail.compiled import BOUNDARY, CompiledBody, compiled

HOSTILE = [
    "",
    " ",
    "a ",
    "\t",
    ".",
    ".\r\n.\r\n",
    "=",
    "=3D=\r\n",
    "\r",
    "\n",
    "\r\n",
    "a\rb\nc\r\nd",
    "\r\n\r\n",
    "x" * 72,
    "x" * 75,
    "x" * 76,
    "x" * 77,
    "x" * 4_000,
    "é" * 4_000,
    "=" * 4_000,
    ".\n" * 2_000,
    " \n" * 300,
    "東京" * 40,
    "🧘🏽",
    "\ud83d half",
    "\x00\x7f\x85\u2028",
    "{{name}} {{ link }}",
    f"\r\n--{BOUNDARY}--\r\nevil",
    "<script>&amp;'\"",
]
VALUES = st.sampled_from(HOSTILE) | st.text(max_size=200)
#: Words, slots, breaks and fillers of all lengths, in any order.
PARTS = st.lists(
    st.sampled_from(["{{name}}", "{{link}}", "\n", " ", ".", "=", "é", "Hello ", "x" * 74, "x" * 75, "x" * 76, "運動"])
    | st.text(st.characters(codec="utf-8", exclude_characters="{}\r"), max_size=90),
    max_size=8,
).map("".join)


def _lf(text: str) -> str:
    """Return the text as it arrives: LF for every line break, a question mark for what UTF-8 cannot say."""
    return re.sub(r"\r\n|\r", "\n", text).encode("utf-8", "replace").decode()


# The fixtures are functions without a state.
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=PARTS, rich=PARTS, name=VALUES, link=VALUES)
@example(text="{{name}}", rich="{{name}}{{link}}{{name}}", name="a ", link="")
@example(text="x" * 75 + "{{name}}", rich="\n{{name}}\n", name="x" * 76, link=".")
def test_what_is_decoded_is_what_was_meant(batch, letter, parse_bytes, text, rich, name, link):
    # Each value keeps its own line breaks: a CR at its end is a break, even where a LF follows in the text.
    values = {"name": name, "link": link}
    content = Content("Hello", rich, text)
    one = letter("d1", values=values)
    raw = Composer(batch(one, content=content)).message(one)
    meant = expand(content, {slot: _lf(value) for slot, value in values.items()})
    received = parse_bytes(raw)
    assert (received.text, received.html) == (_lf(meant.text), _lf(meant.html))
    _check_lines(raw)


def _check_lines(raw: bytes) -> None:
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    body = raw.partition(b"\r\n\r\n")[2]
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert [line for line in lines if line.startswith(b"--")].count(f"--{BOUNDARY}".encode()) == 2


def test_a_part_that_is_shorter_in_base64_is_written_so(batch, letter, parse_bytes):
    content = Content("s", "<p>東京で運動しましょう {{name}}</p>" * 20, "東京で運動しましょう" * 20)
    raw = Composer(batch(letter(), content=content)).message(letter("d1", values={"name": "<京>"}))
    assert raw.count(b"Content-Transfer-Encoding: base64") == 2
    assert parse_bytes(raw).html == "<p>東京で運動しましょう &lt;京&gt;</p>" * 20
    assert base64.b64encode("東京で".encode())[:8] in raw


def test_a_content_is_compiled_once():
    content = Content("s", "<p>{{name}}</p>", "{{name}}")
    assert compiled(content) is compiled(Content("s", "<p>{{name}}</p>", "{{name}}"))


def test_a_slot_without_a_value_is_named():
    with pytest.raises(UnknownSlot, match=r"\{\{link\}\}"):
        CompiledBody(Content("s", "<p>{{link}}</p>", "t")).filled({"name": "x"})


def test_segments_are_encoded_as_they_would_be_in_one_piece():
    body = CompiledBody(Content("s", "<p>" + "word " * 40 + "</p>", "one\ntwo = 2\n"))
    raw = b"".join(body.filled({}))
    assert b"\r\n\r\none\r\ntwo =3D 2\r\n\r\n--" in raw
    assert raw.count(b"=\r\n") == 2
