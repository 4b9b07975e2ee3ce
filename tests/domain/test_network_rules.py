"""Whose address counts: forwarding headers are believed from trusted hops only, read from the right."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.networks import MOST_HOPS, client_of, network_of, trust

PROXY = trust(["127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        ("127.0.0.1", "6.6.6.6, 9.9.9.9, 10.1.1.1", "9.9.9.9"),
        ("127.0.0.1", "6.6.6.6,9.9.9.9 , 10.1.1.1,10.1.1.2", "9.9.9.9"),
        ("127.0.0.1", "10.1.1.1", "10.1.1.1"),
        ("127.0.0.1", "6.6.6.6, made up, 10.1.1.1", "10.1.1.1"),
        ("127.0.0.1", "6.6.6.6, ", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "9.9.9.9:4711", "9.9.9.9"),
        ("127.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("127.0.0.1", "::ffff:9.9.9.9", "9.9.9.9"),
        ("::ffff:127.0.0.1", "9.9.9.9", "9.9.9.9"),
        ("2001:db8:ffff::1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("", "9.9.9.9", ""),
        ("no address", "9.9.9.9", ""),
    ],
)
def test_the_first_hop_that_is_not_ours_is_the_visitor(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, PROXY) == client


def test_nobody_is_trusted_unless_named() -> None:
    assert client_of("127.0.0.1", "9.9.9.9", trust([])) == "127.0.0.1"
    assert client_of("", "9.9.9.9", trust([])) == ""


def test_a_unix_socket_has_no_address_and_is_trusted_by_a_word() -> None:
    assert client_of("", "6.6.6.6, 9.9.9.9", trust(["unix"])) == "9.9.9.9"
    assert client_of("8.8.8.8", "9.9.9.9", trust(["unix"])) == "8.8.8.8"


@pytest.mark.parametrize("word", ["localhost", "10.0.0.0/33", "10.0.0.1/8", "", "*"])
def test_what_is_no_network_cannot_be_trusted(word: str) -> None:
    with pytest.raises(ValueError, match="^" + word.replace("*", r"\*") + "$"):
        trust([word])


def test_a_long_chain_is_cut() -> None:
    hops = ["9.9.9.9"] + ["10.0.0.1"] * MOST_HOPS
    assert client_of("127.0.0.1", ",".join(hops), PROXY) == "10.0.0.1"
    assert client_of("127.0.0.1", ",".join(hops[:MOST_HOPS]), PROXY) == "9.9.9.9"


@settings(max_examples=50)
@given(forged=st.text(), real=st.integers(0, 2**24 - 1).map(lambda number: str(IPv4Address(9 * 2**24 + number))))
def test_whatever_a_visitor_sends_the_proxys_word_counts(forged: str, real: str) -> None:
    assert client_of("127.0.0.1", f"{forged},{real}", PROXY) == real


@settings(max_examples=50)
@given(st.text(), st.text())
def test_nothing_breaks_it(peer: str, forwarded: str) -> None:
    assert network_of(client_of(peer, forwarded, PROXY)) is not None


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("100.64.7.7", "100.64.7.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        *((local, "") for local in ("127.0.0.1", "::1", "10.9.8.7", "192.168.1.1", "172.20.1.1", "fe80::1", "fd00::1")),
        ("", ""),
        ("none", ""),
    ],
)
def test_networks(ip: str, network: str) -> None:
    assert network_of(ip) == network
