"""Where a notice may be sent: only to addresses of the open internet, unless a recipient is said to be
inside.

The name is looked up once, every address it has is checked, and the connection goes to one that was checked:
a name that answers differently the second time (DNS rebinding) gains nothing."""

from __future__ import annotations

import ipaddress
import socket

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


class DeliveryError(Exception):
    """A notice was not taken. for_good: it never will be, so it is not tried again."""

    def __init__(self, said: str, *, for_good: bool = False) -> None:
        super().__init__(said)
        self.for_good = for_good


def look_up(host: str, port: int, *, allow_private: bool) -> list[tuple[str, int]]:
    """Addresses of a host to connect to. Raises DeliveryError: no such name, or one that is not open to
    all."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(f"{host}: no such name ({error})") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    inside = [address for address in addresses if not is_open(address)]
    if inside and not allow_private:
        raise DeliveryError(
            f"{host} is {inside[0]}, an address inside; set allow_private = true where that is meant",
            for_good=True,
        )
    return [(address, port) for address in addresses]


def is_open(address: str) -> bool:
    """Whether an address is one of the open internet: not private, loopback, link-local or special."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return is_open(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_open(str(inner))
    special = found.is_private or found.is_loopback or found.is_link_local or found.is_multicast
    return found.is_global and not (special or found.is_reserved or found.is_unspecified)
