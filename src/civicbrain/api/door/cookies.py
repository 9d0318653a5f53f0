"""Headers as a mapping, cookies, and the address that a request comes from."""

from __future__ import annotations

import ipaddress
from http.cookies import CookieError, SimpleCookie

from civicbrain.api.asgi import Scope


def headers_of(scope: Scope) -> dict[str, str]:
    """Lower-case names; of a header that is there twice the last counts, Host twice is no Host at all."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        headers[name] = "" if name == "host" and name in headers else raw_value.decode("latin-1")
    return headers


def cookie_of(headers: dict[str, str], name: str) -> str:
    """A cookie's value, "" for none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def cookie_name(base: str, *, secure: bool, port: int) -> str:
    """Under https `__Host-`: browsers take it only from this very host, secure, for all paths (RFC 6265bis,
    4.1.3.2). Without it the port is in the name: cookies do not tell ports apart, and two cities on one
    machine would log each other out."""
    return f"__Host-{base}" if secure else f"{base}-{port}"


def set_cookie(name: str, value: str, *, secure: bool, longest_s: float, same_site: str = "Strict") -> str:
    """The header's value; value "" takes the cookie away."""
    longest = int(longest_s) if value else 0
    text = f"{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={longest}"
    return f"{text}; Secure" if secure else text


def address_of(scope: Scope) -> str:
    """Of the client; of IPv6 the network of 64 bits, which is handed out whole."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return str(client[0]) if client else ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
