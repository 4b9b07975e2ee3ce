"""Where a request came from: the visitor's address behind proxies that we know, and the network it belongs to.

Must not know: requests, settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: What one party usually holds: a /24 is the least that is announced in IPv4; a provider gives a site a /48 to a /64
#: (RFC 6177), so that counting /64s would let one subscriber be 65,536.
IPV4_BITS, IPV6_BITS = 24, 48
#: The most hops that are looked at; a longer chain is nobody's proxy.
MOST_HOPS = 20
#: A peer at the other end of a Unix socket has no address. This word trusts it.
UNIX = "unix"


@dataclass(frozen=True, slots=True)
class Trust:
    """The proxies whose word counts for where a request came from."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    def __contains__(self, address: Address) -> bool:
        """Say whether this is one of them."""
        return any(address in network for network in self.networks)


def trust(words: Sequence[str]) -> Trust:
    """Read addresses, networks and the word `unix`. Raises ValueError with the word that is none of them."""
    found: list[Network] = []
    for word in words:
        if word == UNIX:
            continue
        try:
            found.append(ip_network(word))
        except ValueError:
            raise ValueError(word) from None
    return Trust(tuple(found), UNIX in words)


def client_of(peer: str, forwarded: str, trusted: Trust) -> str:
    """Return the visitor's address: of `peer`, or what trusted proxies say in X-Forwarded-For (`forwarded`).

    The header is read from the right, because each proxy adds at the right whom it was asked by; what stands left of
    the first hop that is not trusted may have been made up by anybody. A hop that is no address ends the walk: whoever
    passed it on is then the last one we know of. Empty where even the peer is none.
    """
    at = _address(peer)
    if at is None and not (trusted.unix and not peer):
        return ""
    for hop in reversed(forwarded.split(",")[-MOST_HOPS:]):
        if at is not None and at not in trusted:
            break
        further = _address(hop)
        if further is None:
            break
        at = further
    return str(at) if at else ""


def _address(text: str) -> Address | None:
    """Read an address as proxies write it: perhaps with a port, in brackets, or IPv4 as a form of IPv6."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def network_of(ip: str) -> str:
    """Return the network that an address is counted under: a /24, or a /48 of IPv6.

    Empty for what is no address on the internet: an address of this machine or of a local network tells nothing about
    a visitor; it is a proxy that we were not told to trust, or somebody in the house.
    """
    found = _address(ip)
    if found is None or _local(found):
        return ""
    return str(ip_network((found, IPV4_BITS if found.version == 4 else IPV6_BITS), strict=False))


_LOCAL = tuple(
    ip_network(block)
    for block in (
        "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 0.0.0.0/8 ::1/128 fc00::/7 fe80::/10 ::/128"
    ).split()
)


def _local(address: Address) -> bool:
    """Not `is_private`, which counts blocks for documentation and tests among them."""
    return any(address in block for block in _LOCAL)
