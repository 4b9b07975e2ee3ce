"""Exports: everybody who fits, in chunks, with no cell that a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.audience import export
from leadmagnet.audience.cells import DANGEROUS, plain_cell, safe_cell
from leadmagnet.audience.groups import Group
from leadmagnet.audience.listing import Filter

EVERYONE = Filter()


def read(session, now, filter_=EVERYONE):
    return list(csv.DictReader(io.StringIO("".join(export.lines(session, filter_, now.course)))))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_dangerous_cells_get_an_apostrophe(sign):
    assert safe_cell(f"{sign}1+1") == f"'{sign}1+1"


@pytest.mark.parametrize("harmless", ["", "anna@example.org", "1-2", "'quoted", "a=b"])
def test_harmless_cells_stay(harmless):
    assert safe_cell(harmless) == harmless


@given(st.text(alphabet="'=+-@\t\r\0a", max_size=6) | st.text())
def test_a_guarded_cell_is_bare_again_on_the_way_in(text):
    guarded = safe_cell(text)
    assert plain_cell(guarded) == text
    assert not guarded.startswith(DANGEROUS)


def test_rows_and_escaping(session, person, enrolled, now):
    anna = person("anna@example.org", first_name='=HYPERLINK("x"), "Anna"', chosen_hour=7)
    enrolled(anna, 2)
    person("bo@example.org", status="pending", wants_reminders=False)
    first, second = read(session, now)
    assert tuple(first) == export.HEADER
    assert (first["email"], first["first_name"]) == ("anna@example.org", '\'=HYPERLINK("x"), "Anna"')
    assert (first["videos_sent"], first["chosen_hour"], first["group"]) == ("2", "7", "active")
    assert (second["confirmed_at"], second["wants_reminders"]) == ("", "no")
    assert second["signed_up_at"] == "2026-11-22T18:00:00Z"


def test_only_those_who_fit_over_several_chunks(session, person, now, monkeypatch):
    monkeypatch.setattr(export, "CHUNK", 7)
    for number in range(30):
        person(f"p{number}@example.org", status="active" if number % 3 else "pending")
    assert len(read(session, now)) == 30
    waiting = read(session, now, Filter(group=Group.WAITING))
    assert [row["email"] for row in waiting] == [f"p{number}@example.org" for number in range(0, 30, 3)]


def test_nobody_leaves_a_header(session, now):
    assert list(export.lines(session, Filter("nobody"), now.course)) == [",".join(export.HEADER) + "\r\n"]
