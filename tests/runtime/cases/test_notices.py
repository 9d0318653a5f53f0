"""Notices: at least once, under one key, signed, retried, given up visibly; never to an address inside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from case_desks import OnTrial, incident
from notice_receivers import Mailbox, Receiver

from civicbrain.city.cases import CaseState, StepState
from civicbrain.core.errors import ConfigurationError, RequestRefusedError
from civicbrain.runtime.cases import outbox, webhook
from civicbrain.runtime.cases.addresses import DeliveryError, is_open, look_up
from civicbrain.runtime.cases.alarm_list import list_alarms
from civicbrain.runtime.cases.delivery import Deliverer
from civicbrain.runtime.cases.recipients import NoticesTable
from civicbrain.runtime.cases.webhook import Webhook, post

SECRET = "0123456789abcdef-police"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def table(secret: Path, police: str, **mail: object) -> NoticesTable:
    recipients: dict[str, dict[str, object]] = {
        "police": {"url": police, "secret_file": str(secret), "allow_private": True}
    }
    if mail:
        recipients["ambulance"] = {"mail": "control@ambulance.example"}
    relay = {"host": "127.0.0.1", "sender": "brain@city.example", "security": "none", **mail}
    return NoticesTable.model_validate({"recipients": recipients, "mail": relay if mail else {}})


def assign(trial: OnTrial) -> None:
    """A crash that somebody is sent to: notices to police and ambulance (and to a tow truck)."""
    trial.desk.take([incident()], 140.0, "s")
    trial.desk.move("case-1", CaseState.TRIAGE, "operator:anna")
    trial.desk.step("case-1", "injured", StepState.DONE, "operator:anna")
    trial.desk.move("case-1", CaseState.ASSIGNMENT, "operator:anna")


def work_until(deliverer: Deliverer, done: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < end
        deliverer.step()
        time.sleep(0.01)


def states(trial: OnTrial) -> dict[object, object]:
    return {row["recipient"]: row["state"] for row in trial.rows("SELECT * FROM notice")}


def test_a_notice_is_signed_and_says_what_where_and_why(
    trial: OnTrial, receiver: Receiver, secret: Path
) -> None:
    assign(trial)
    deliverer = Deliverer(trial.store, table(secret, receiver.url), lambda: None)
    work_until(deliverer, lambda: states(trial)["police"] == "delivered")
    path, headers, body = receiver.got[0]
    assert path == "/hook"
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(SECRET.encode(), content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert headers["idempotency-key"] == headers["webhook-id"]
    said = json.loads(body)
    assert (said["case"]["id"], said["case"]["kind"], said["why"]) == (
        "case-1",
        "crash",
        "entered assignment",
    )
    assert "notice-delivered" in trial.events("case-1")
    deliverer.close()


def test_a_receiver_that_fails_gets_the_same_notice_again_later(
    trial: OnTrial, receiver: Receiver, secret: Path
) -> None:
    receiver.how = [500, 503, 302, 204]
    assign(trial)
    deliverer = Deliverer(trial.store, table(secret, receiver.url), lambda: None)
    due = [0.0]
    for attempt in range(1, 4):
        work_until(
            deliverer, lambda n=attempt: bool(
                trial.rows("SELECT 1 FROM notice WHERE recipient = 'police' AND attempts = ?"
                           " AND state = 'waiting'", n)
            ),
        )  # fmt: skip
        row = trial.rows("SELECT * FROM notice WHERE recipient = 'police'")[0]
        due.append(float(str(row["due_s"])) - trial.clock.now_s)
        trial.clock.now_s = float(str(row["due_s"]))
    work_until(deliverer, lambda: states(trial)["police"] == "delivered")
    assert [round(pause_s / 2) for pause_s in due[1:]] == [1, 2, 4]  # 2, 4, 8 s, a tenth more or less
    assert len(set(receiver.keys)) == 1
    assert len(receiver.keys) == 4
    deliverer.close()


def test_what_nobody_takes_is_given_up_with_an_alarm_and_can_be_sent_again(
    trial: OnTrial, receiver: Receiver, secret: Path
) -> None:
    receiver.how = [410]
    assign(trial)
    deliverer = Deliverer(trial.store, table(secret, receiver.url), lambda: None)
    work_until(deliverer, lambda: states(trial)["police"] == "dead")
    titles = [alarm.title for alarm in list_alarms(trial.store.db, trial.clock.now_s).alarms]
    assert "A notice to police could not be delivered" in titles
    receiver.how = [200]
    with trial.store.change("operator:anna") as change:
        outbox.send_again(change, 1, "they are back", {"police"})
    work_until(deliverer, lambda: states(trial)["police"] == "delivered")
    assert len(set(receiver.keys)) == 1
    with pytest.raises(RequestRefusedError, match="delivered"), trial.store.change() as change:
        outbox.send_again(change, 1, "again", {"police"})
    deliverer.close()


def test_twelve_attempts_and_no_more(trial: OnTrial) -> None:
    assign(trial)
    for _ in range(outbox.MOST_ATTEMPTS):
        assert states(trial)["police"] == "waiting"
        trial.clock.now_s += outbox.LONGEST_PAUSE_S * 1.2
        with trial.store.change() as change:
            row = outbox.next_due(change, {"ambulance", "tow"})
        assert row is not None
        with trial.store.change() as change:
            outbox.failed(change, row["number"], "HTTP 500", for_good=False)
    assert states(trial)["police"] == "dead"


@pytest.mark.quiet
def test_a_receiver_that_hangs_or_trickles_holds_up_nobody_else(
    trial: OnTrial, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, mailbox = Receiver("hang", "trickle"), Mailbox()
    hook = Webhook(hanging.url, b"s" * 16, allow_private=True, timeout_s=0.5)
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(DeliveryError, match="no answer within"):
            post(hook, "k", b"{}", 1.0)
    assert time.monotonic() - start < 4.0
    assign(trial)
    hanging.how = ["hang"]
    deliverer = Deliverer(trial.store, table(secret, hanging.url, port=mailbox.port), lambda: None)
    work_until(deliverer, lambda: states(trial)["ambulance"] == "delivered")
    assert states(trial)["police"] == "sending"
    hanging.close()
    mailbox.close()
    deliverer.close()


def test_a_killed_process_sends_again_under_the_same_key(
    trial: OnTrial, receiver: Receiver, secret: Path
) -> None:
    """Killed between the receiver's taking it and noting it: the receiver sees one key twice."""
    assign(trial)
    trial.store.close()
    notices = table(secret, receiver.url)
    child = os.fork()
    if child == 0:
        try:
            mine = OnTrial(trial.folder)
            deliverer = Deliverer(mine.store, notices, lambda: None)
            deliverer.step()
            receiver_took = time.monotonic() + 60
            while not all(task.done() for _, task in deliverer._busy.values()):
                assert time.monotonic() < receiver_took
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    again = OnTrial(trial.folder, clock=trial.clock)
    assert states(again)["police"] == "sending"
    deliverer = Deliverer(again.store, notices, lambda: None)
    work_until(deliverer, lambda: states(again)["police"] == "delivered")
    assert len(receiver.keys) == 2
    assert len(set(receiver.keys)) == 1
    deliverer.close()
    again.store.close()


def test_a_mail_says_it_all_and_the_same_notice_has_the_same_message_id(
    trial: OnTrial, receiver: Receiver, secret: Path
) -> None:
    mailbox = Mailbox("451 later", "250 OK")
    assign(trial)
    deliverer = Deliverer(trial.store, table(secret, receiver.url, port=mailbox.port), lambda: None)
    waiting = "SELECT * FROM notice WHERE recipient = 'ambulance' AND attempts = 1 AND state = 'waiting'"
    work_until(deliverer, lambda: bool(trial.rows(waiting)))
    trial.clock.now_s += 10
    work_until(deliverer, lambda: states(trial)["ambulance"] == "delivered")
    mail = message_from_bytes(mailbox.got[0], policy=policy.default)
    key = trial.rows("SELECT key FROM notice WHERE recipient = 'ambulance'")[0]["key"]
    assert mail["Message-ID"] == f"<{key}@city.example>"
    assert mail["To"] == "control@ambulance.example"
    assert "case-1" in mail["Subject"]
    assert "lanes      0" in mail.get_content()
    mailbox.close()
    deliverer.close()


def test_a_mailbox_that_does_not_exist_is_given_up_at_once(
    trial: OnTrial, receiver: Receiver, secret: Path
) -> None:
    mailbox = Mailbox("550 no such mailbox")
    assign(trial)
    deliverer = Deliverer(trial.store, table(secret, receiver.url, port=mailbox.port), lambda: None)
    work_until(deliverer, lambda: states(trial)["ambulance"] == "dead")
    mailbox.close()
    deliverer.close()


def test_nobody_of_that_name_is_shown_not_hidden(trial: OnTrial, tmp_path: Path) -> None:
    trial.desk.conduct.recipients = frozenset({"police"})
    assign(trial)
    assert states(trial) == {"police": "waiting", "ambulance": "unaddressed", "tow": "unaddressed"}


# -- addresses inside


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "0.0.0.0",
     "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
     "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "nonsense"],
)  # fmt: skip
def test_addresses_inside_are_known(address: str) -> None:
    assert not is_open(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_internet_are_open(address: str) -> None:
    assert is_open(address)


def test_a_notice_never_goes_inside_unless_that_is_meant(receiver: Receiver) -> None:
    for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433"):
        with pytest.raises(DeliveryError, match="address inside") as caught:
            post(Webhook(f"https://{host}:{receiver.port}/", b"s" * 16), "k", b"{}", 1.0)
        assert caught.value.for_good
    assert receiver.got == []


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, *, allow_private: bool) -> list[tuple[str, int]]:
        asked.append(host)
        return [("127.0.0.1", port)] if len(asked) == 1 else [("127.0.0.9", 1)]

    monkeypatch.setattr(webhook, "look_up", rebinding)
    post(Webhook(f"http://police.example:{receiver.port}/hook", b"s" * 16), "k", b"{}", 1.0)
    assert asked == ["police.example"]
    assert receiver.got[0][1]["host"] == f"police.example:{receiver.port}"
    with pytest.raises(DeliveryError, match="no such name"):
        look_up("no-such-name.invalid", 443, allow_private=False)


@pytest.mark.parametrize(
    ("recipient", "said"),
    [
        ({"url": "http://x.example/"}, "https"),
        ({"url": "https://a:b@x.example/", "secret_file": "s"}, "password"),
        ({"url": "https://x.example/"}, "secret_file"),
        ({"url": "https://x.example/", "mail": "a@b.example"}, "either"),
        ({"mail": "a@b.example\nBcc: c@d.example"}, "pattern"),
        ({"mail": "a@b.example"}, "host and sender"),
    ],
)
def test_a_recipient_that_makes_no_sense_is_refused(recipient: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        NoticesTable.model_validate({"recipients": {"police": recipient}})


def test_a_secret_that_others_can_read_is_refused(secret: Path) -> None:
    secret.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to others"):
        table(secret, "https://x.example/").hooks()
