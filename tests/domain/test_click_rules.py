"""Who followed a link: by method, name, haste and company; whatever the order in which the follows came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.clicks import Agent, Click, Why, agent_of, fetched_ahead, judge

DELIVERED = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def click(id: int, seconds: float, link: int = 1, method: str = "GET", agent: Agent = Agent.BROWSER) -> Click:
    return Click(id, link, DELIVERED + timedelta(seconds=seconds), method, agent, ahead=False)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (FIREFOX, Agent.BROWSER),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", Agent.BROWSER),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel)", Agent.SCANNER),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36", Agent.SCANNER),
        ("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", Agent.SCANNER),
        ("Slackbot-LinkExpanding 1.0", Agent.SCANNER),
        ("python-requests/2.32", Agent.TOOL),
        ("curl/8.5.0", Agent.TOOL),
        ("Outlook-iOS/2.0", Agent.TOOL),
        ("  ", Agent.NONE),
        ("", Agent.NONE),
    ],
)
def test_programs_by_their_name(name: str, kind: Agent) -> None:
    assert agent_of(name) is kind


@pytest.mark.parametrize(("purpose", "ahead"), [("prefetch;prerender", True), (" preview", True), ("", False)])
def test_pages_loaded_before_anybody_asks(purpose: str, ahead: bool) -> None:
    assert fetched_ahead(purpose) is ahead


@pytest.mark.parametrize(
    ("alone", "why"),
    [
        (click(1, 60), Why.PERSON),
        (click(1, 10), Why.PERSON),
        (click(1, 9.9), Why.SOON),
        (click(1, -3), Why.SOON),
        (click(1, 3600, method="HEAD"), Why.HEAD),
        (click(1, 3600, agent=Agent.TOOL), Why.AGENT),
        (click(1, 3600, agent=Agent.SCANNER), Why.AGENT),
        (click(1, 3600, agent=Agent.NONE), Why.AGENT),
        (click(1, 3600)._replace(ahead=True), Why.PREFETCH),
    ],
)
def test_one_follow(alone: Click, why: Why) -> None:
    assert judge([alone], DELIVERED) == {1: why}


def test_without_an_instant_of_delivery_haste_says_nothing() -> None:
    assert judge([click(1, 1)], None) == {1: Why.PERSON}


def test_two_links_at_once_were_a_machine_s_both_of_them() -> None:
    both = [click(1, 60, link=1), click(2, 62, link=2), click(3, 65, link=3)]
    assert judge(both, DELIVERED) == {1: Why.AT_ONCE, 2: Why.AT_ONCE, 3: Why.PERSON}


def test_a_double_click_is_a_person_s_and_head_then_get_a_machine_s() -> None:
    assert set(judge([click(1, 60), click(2, 60.4)], DELIVERED).values()) == {Why.PERSON}
    looked = judge([click(1, 60, method="HEAD"), click(2, 60.4), click(3, 90)], DELIVERED)
    assert looked == {1: Why.HEAD, 2: Why.AT_ONCE, 3: Why.PERSON}


some = st.builds(
    click,
    id=st.just(0),
    seconds=st.floats(-20, 120),
    link=st.integers(1, 3),
    method=st.sampled_from(["GET", "HEAD"]),
    agent=st.sampled_from(Agent),
)


@given(st.lists(some, max_size=5))
def test_the_order_in_which_they_come_does_not_matter(clicks: list[Click]) -> None:
    numbered = [one._replace(id=place) for place, one in enumerate(clicks)]
    found = judge(numbered, DELIVERED)
    assert all(judge(order, DELIVERED) == found for order in permutations(numbered))


@given(st.lists(some, min_size=1, max_size=6))
def test_more_follows_never_make_a_person_of_a_machine(clicks: list[Click]) -> None:
    numbered = [one._replace(id=place) for place, one in enumerate(clicks)]
    fewer, all_ = judge(numbered[:-1], DELIVERED), judge(numbered, DELIVERED)
    assert all(all_[one] is not Why.PERSON for one, why in fewer.items() if why is not Why.PERSON)
