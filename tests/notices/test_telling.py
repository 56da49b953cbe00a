"""Telling, over real connections: mails to a mail server, signed events to a webhook that fails first; time is the test's own."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import pairwise

import pytest
from tests.notices.world import State, Watched, another_institute, proof
from tests.receivers import Mailbox, Receiver, mail_server, receiver
from tests.store.world import NOW

from rollbook.acts import mail, telling
from rollbook.acts.channels import Wanted, channel_of, set_channel
from rollbook.acts.notices import Kind, end_notice, open_notices, raise_notice
from rollbook.acts.telling import deliver, deliver_aside, try_channels
from rollbook.errors import InputRefused
from rollbook.store.models import NoticeChannel, NoticeMail, Outbox, Trail

OFFICE = "office@school.example"


@pytest.fixture
def school(store: str) -> Watched:
    return Watched()


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mail_server() as running:
        monkeypatch.setenv("ROLLBOOK_SMTP_URL", running.url)
        monkeypatch.setenv("ROLLBOOK_MAIL_FROM", "rollbook@school.example")
        yield running


def something(school: Watched, cause: str = "1") -> None:
    assert raise_notice(school.institute, Kind.NOT_PROVEN, cause, {"run": 7, "missing": 1, "extra": 0}, school.clock)


def text_of(sent: EmailMessage, form: str = "plain") -> str:
    """What a mail says, decoded."""
    part = sent.get_body((form,))
    assert part is not None
    return str(part.get_content())


def sequences(hook: Receiver) -> list[int]:
    return [json.loads(body)["sequence"] for _, body in hook.got]


def test_a_webhook_is_told_in_order_and_signed_and_again_until_it_takes_it(school: Watched, hook: Receiver):
    secret = school.tell(webhook=hook.url)
    something(school)
    something(school, "2")
    hook.answers.extend([500, 302])

    assert deliver(school.clock).problems == ["webhook: answered 500"]
    assert deliver(school.clock).events == 0  # left alone for a minute
    school.clock.on(minutes=1)
    assert deliver(school.clock).problems == ["webhook: answered 302"]
    school.clock.on(minutes=2)
    assert deliver(school.clock).events == 2
    assert sequences(hook) == [1, 1, 1, 2]
    assert deliver(school.clock).events == 0

    ids = {headers["webhook-id"] for headers, _ in hook.got[:3]}
    assert ids == {f"{school.institute.public_id}-1"}
    for headers, body in hook.got:  # as docs/notices.md tells receivers to
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
    sent = dt.datetime.fromtimestamp(int(hook.got[2][0]["webhook-timestamp"]), dt.UTC)
    assert sent == NOW + dt.timedelta(minutes=3)
    document = json.loads(hook.got[0][1])
    assert (document["type"], document["data"]["kind"]) == ("notice.raised", "not_proven")
    assert document["data"]["content"] == {"run": 7, "missing": 1, "extra": 0}
    channel = channel_of(school.institute)
    assert (channel.told, channel.failures, channel.retry_at) == (2, 0, None)
    assert secret.encode() not in bytes(channel.secret or b"")


def test_what_a_webhook_does_not_take_for_three_days_is_given_up_and_said(school: Watched, hook: Receiver):
    school.tell(webhook=hook.url)
    something(school)
    hook.answers.extend([503] * 40)
    tries = []
    while not open_notices().filter(kind=Kind.WEBHOOK_UNDELIVERED).exists():
        deliver(school.clock)
        tries.append(school.clock.now())
        retry_at = NoticeChannel.objects.get().retry_at
        assert retry_at is not None
        school.clock.at = retry_at
        if len(tries) == 10:
            something(school, "younger")

    pauses = [later - sooner for sooner, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (dt.timedelta(minutes=1), dt.timedelta(hours=12))
    assert tries[-1] - tries[0] >= dt.timedelta(days=3)
    assert open_notices().get(kind=Kind.WEBHOOK_UNDELIVERED).content == {"given_up": 1, "problem": "answered 503"}

    # What came later is told as soon as it answers, and so is that it does.
    hook.answers.clear()
    something(school, "2")
    assert deliver(school.clock).events == 3
    assert not open_notices().filter(kind=Kind.WEBHOOK_UNDELIVERED).exists()
    assert deliver(school.clock).events == 1


def test_a_receiver_that_is_slow_keeps_nobody_else_waiting(school: Watched, hook: Receiver):
    other = another_institute(school.institute)
    with receiver() as slow:
        slow.block = hook.asked  # it answers once the other one was told
        school.tell(webhook=slow.url)
        set_channel(other, Wanted(webhook=hook.url), school.author)
        something(school)
        raise_notice(other, Kind.NOT_PROVEN, "1", {"run": 1, "missing": 0, "extra": 2}, school.clock)

        assert deliver(school.clock) == telling.Delivered(events=2)

    assert sequences(hook) == [1]


def test_a_receiver_that_never_ends_is_waited_for_no_longer_than_a_turn():
    never = threading.Event()

    done = telling._side_by_side({"endless": never.wait, "quick": lambda: "taken"}, 0.2)

    never.set()
    assert done == {"quick": "taken"}


def test_two_processes_tell_one_thing_once(school: Watched, hook: Receiver, mailbox: Mailbox):
    school.tell(webhook=hook.url, addresses=[OFFICE])
    something(school)
    claimed = telling._claim_hooks(school.clock)
    assert [len(each.events) for each in claimed] == [1]
    assert telling._claim_mails(school.clock, telling.Delivered()) is not None

    assert deliver(school.clock) == telling.Delivered()

    # The other one died: what it held is told once its time is over.
    school.clock.on(minutes=6)
    done = deliver(school.clock)
    assert (done.mails, done.events) == (1, 1)


def test_a_mail_tells_what_is_so_and_what_to_do_and_later_that_it_is_over(school: Watched, mailbox: Mailbox):
    school.tell(addresses=[OFFICE, "it@school.example"])
    school.run(State.NOT_PROVEN, proof=proof(missing=1, extra=2))
    school.look()

    assert deliver(school.clock).mails == 2
    (sent,) = mailbox.to(OFFICE)
    assert (
        sent["Subject"]
        == "The School: Run 1 is finished, but not proven: 1 membership is missing, 2 are there that should not be."
    )
    assert sent["From"] == "rollbook@school.example"
    plain, rich = text_of(sent), text_of(sent, "html")
    assert "What to do: See who, where and why: `rollbook proof 1`." in plain
    assert "Since 2026-10-01 08:00" in plain
    assert "<strong>Run 1 is finished" in rich
    assert sent["Message-ID"].endswith("@school.example>")

    school.run(State.PROVEN, proof=proof())
    school.look()
    deliver(school.clock)
    over = mailbox.to(OFFICE)[1]
    assert over["Subject"] == "The School: no longer so"
    assert "A later run is proven." in text_of(over)
    assert NoticeMail.objects.count() == 0


def test_a_digest_is_one_mail_a_day_at_its_hour_where_the_school_is(school: Watched, mailbox: Mailbox):
    other = another_institute(school.institute)
    for institute in (school.institute, other):
        institute.time_zone = "Europe/Athens"  # 11:00 now
        institute.save()
        set_channel(institute, Wanted([OFFICE], digest=True, digest_hour=7), school.author)
    something(school)
    something(school, "came and went")
    end_notice(open_notices().get(cause="came and went"), school.clock)
    raise_notice(other, Kind.DELIVERY_STAGED, "1", {"source": "oneroster", "delivery": 4}, school.clock)

    assert deliver(school.clock).mails == 0
    school.clock.at = dt.datetime(2026, 10, 2, 3, 59, tzinfo=dt.UTC)
    assert deliver(school.clock).mails == 0
    school.clock.on(minutes=1)
    assert deliver(school.clock).mails == 1
    (sent,) = mailbox.mails
    assert sent["Subject"] == "2 schools: 2 notices"
    text = text_of(sent)
    assert text.index("The School") < text.index("No longer so:") < text.index("The Second School")
    assert deliver(school.clock).mails == 0


def test_a_mail_server_that_refuses_an_address_is_asked_again_and_others_get_theirs(school: Watched, mailbox: Mailbox):
    school.tell(addresses=[OFFICE, "gone@school.example"])
    mailbox.refused.add("gone@school.example")
    something(school)

    done = deliver(school.clock)
    assert (done.mails, done.problems) == (1, ["mail: the mail server refused the address (550)"])
    while NoticeMail.objects.exists():
        school.clock.at = NoticeMail.objects.earliest("due_at").due_at
        deliver(school.clock)
        if open_notices().filter(kind=Kind.MAIL_UNDELIVERED).exists():
            break
    assert school.clock.now() - NOW >= dt.timedelta(days=3)
    undelivered = open_notices().get(kind=Kind.MAIL_UNDELIVERED)
    assert "gone" not in undelivered.cause + json.dumps(undelivered.content)

    school.tell(addresses=[OFFICE])
    assert not open_notices().filter(kind=Kind.MAIL_UNDELIVERED).exists()


def test_a_mail_server_that_is_away_is_tried_again(school: Watched, monkeypatch: pytest.MonkeyPatch):
    with mail_server() as gone:
        pass
    monkeypatch.setenv("ROLLBOOK_SMTP_URL", gone.url)
    monkeypatch.setenv("ROLLBOOK_MAIL_FROM", "rollbook@school.example")
    school.tell(addresses=[OFFICE])
    something(school)

    assert deliver(school.clock).problems == ["mail: the mail server cannot be used (ConnectionRefusedError)"]
    with mail_server() as back:
        monkeypatch.setenv("ROLLBOOK_SMTP_URL", back.url)
        assert deliver(school.clock).mails == 0
        school.clock.on(minutes=1)
        assert deliver(school.clock).mails == 1


def test_without_a_mail_server_nothing_is_sent_and_nothing_old_is_kept(school: Watched):
    school.tell(addresses=[OFFICE])
    something(school)
    assert deliver(school.clock) == telling.Delivered()
    assert [each.problem for each in try_channels(school.institute, school.author)] == [mail.UNSET]
    school.clock.on(days=4)
    deliver(school.clock)
    assert NoticeMail.objects.count() == 0


def test_a_replaced_notice_sends_no_mail_of_its_end(school: Watched, mailbox: Mailbox):
    school.tell(addresses=[OFFICE])
    school.connection.expires_on = dt.date(2026, 10, 11)
    school.connection.save()
    for _ in range(2):
        school.look()
        deliver(school.clock)
        school.clock.on(days=5)

    assert [each["Subject"] for each in mailbox.mails] == [
        "The School: The credential of the connection expires in 10 days, on 2026-10-11.",
        "The School: The credential of the connection expires in 5 days, on 2026-10-11.",
    ]
    assert "No longer so" not in text_of(mailbox.mails[1])


def test_a_test_message_says_what_came_of_it(school: Watched, hook: Receiver, mailbox: Mailbox):
    school.tell(addresses=[OFFICE], webhook=hook.url)
    hook.answers.append(404)

    tried = try_channels(school.institute, school.author)

    assert [(each.where, each.problem) for each in tried] == [(OFFICE, ""), (hook.url, "answered 404")]
    assert json.loads(hook.got[0][1])["type"] == "notices.test"
    assert channel_of(school.institute).failures == 0


def test_a_worker_waits_for_nobody(school: Watched, hook: Receiver):
    school.tell(webhook=hook.url)
    something(school)
    hook.block = threading.Event()

    assert deliver_aside(school.clock)
    assert hook.asked.wait(20)
    assert not deliver_aside(school.clock)  # the last one has not ended
    hook.block.set()
    for thread in threading.enumerate():
        if thread.name == "notices":
            thread.join(20)

    assert NoticeChannel.objects.get().told == 1


def test_settings_that_cannot_be_are_refused(school: Watched):
    refused = (
        Wanted(webhook="http://hooks.example/x"),
        Wanted(webhook="ftp://hooks.example/x"),
        Wanted(webhook="https://name:secret@hooks.example/x"),
        Wanted(addresses=["not an address"]),
        Wanted(digest_hour=24),
        Wanted(late_after=-1),
    )
    for wanted in refused:
        with pytest.raises(InputRefused):
            set_channel(school.institute, wanted, school.author)
    assert not NoticeChannel.objects.exists()


def test_a_new_webhook_is_told_what_happens_from_now_on_and_its_secret_is_told_once(school: Watched, hook: Receiver):
    something(school)
    first = school.tell(webhook=hook.url)
    assert school.tell(digest=True) == ""
    second = school.tell(new_secret=True)
    something(school, "2")
    deliver(school.clock)

    assert sequences(hook) == [2]
    assert first != second
    assert Outbox.objects.count() == 2
    told = json.dumps(list(Trail.objects.filter(action="notices.set").values_list("content", flat=True)))
    assert second not in told
    assert "127.0.0.1" in told


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("smtp://name:secret@mail.example", "unencrypted"),
        ("http://mail.example", "names no mail server"),
        ("smtps://mail.example:x", "no address"),
    ],
)
def test_a_mail_server_that_cannot_be_is_said_as_such(monkeypatch: pytest.MonkeyPatch, address: str, said: str):
    monkeypatch.setenv("ROLLBOOK_SMTP_URL", address)
    monkeypatch.setenv("ROLLBOOK_MAIL_FROM", "rollbook@school.example")
    with pytest.raises(InputRefused, match=said) as refused:
        mail.server()
    assert "secret" not in refused.value.message
