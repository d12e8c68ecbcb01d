"""Host names that can only mean this machine: a key may go there unencrypted, and answers from there cost nothing."""

from __future__ import annotations

from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """True if nobody else can be meant by the name or address; brackets around an address do not matter."""
    host = host.lower().strip("[]")
    # Not the names below it: where the resolver does not know them, whoever answers for DNS says where they lead.
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
