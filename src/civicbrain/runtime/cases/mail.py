"""A notice as e-mail through the city's own relay (SMTP, RFC 5321). The Message-ID is made of the notice's
key, so that what comes twice is told apart by any mail program."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from civicbrain.runtime.cases.addresses import DeliveryError

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Relay:
    """security: "starttls", "tls", or "none" where the relay stands on this machine."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = ""
    timeout_s: float = TIMEOUT_S


def _left(share: float | None) -> str:
    """None: no sensor has said."""
    return "not known" if share is None else f"{share:.0%} is left"


def message_of(relay: Relay, to: str, key: str, notice: dict[str, Any]) -> EmailMessage:
    """The mail of a notice (the decoded body of its webhook). Raises DeliveryError for an address that is
    none."""
    case = notice["case"]
    place = case["place"]
    where = place["junction"] or place["edge"] or place["sensor"] or "?"
    lines = [
        f"{case['title']}, urgency {case['urgency']}: {case['id']}",
        f"state      {case['state']} (since {case['state_since']})",
        f"place      {where}  ({place['x_m']:.0f} m, {place['y_m']:.0f} m)",
        f"lanes      {', '.join(map(str, place['lanes'])) or 'not known'}",
        f"capacity   {_left(case['capacity_left'])}",
        f"opened     {case['opened']}",
        f"assigned   {case['assigned_to'] or 'nobody yet'}",
        f"why        {notice['why']}",
        "",
        f"Notice {key}. The same key means the same notice.",
    ]
    message = EmailMessage()
    try:
        message["From"], message["To"] = relay.sender, to
        message["Subject"] = f"[Civic Brain] {case['urgency']}: {case['title']} ({case['id']})"
    except ValueError as error:
        raise DeliveryError(f"no mail address: {error}", for_good=True) from error
    message["Message-ID"] = f"<{key}@{relay.sender.rpartition('@')[2].strip('>')}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers this
    message.set_content("\n".join(lines) + "\n")
    return message


def send(relay: Relay, to: str, key: str, notice: dict[str, Any]) -> None:
    """One attempt. Raises DeliveryError where the relay has not taken it."""
    message = message_of(relay, to, key, notice)
    held: list[smtplib.SMTP] = []
    watchdog = threading.Timer(relay.timeout_s, lambda: _abort(held))
    watchdog.daemon = True
    watchdog.start()
    try:
        kind = smtplib.SMTP_SSL if relay.security == "tls" else smtplib.SMTP
        with kind(timeout=relay.timeout_s) as client:
            held.append(client)
            client.connect(relay.host, relay.port)
            if relay.security == "starttls":
                client._host = relay.host  # type: ignore[attr-defined]  # whose certificate it must be
                client.starttls(context=ssl.create_default_context())
            if relay.user:
                client.login(relay.user, relay.password)
            client.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise DeliveryError(f"refused: {error}"[:300], for_good=all(code >= 550 for code in codes)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}"[:300]) from error
    finally:
        watchdog.cancel()


def _abort(held: list[smtplib.SMTP]) -> None:
    for client in held:
        if client.sock is not None:
            with contextlib.suppress(OSError):
                client.sock.shutdown(socket.SHUT_RDWR)
