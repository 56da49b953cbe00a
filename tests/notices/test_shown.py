"""`rollbook notices` and the panel of the portal: what is open, since when, what to do, and who is told."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.cli.inside import Inside, said, told
from tests.notices.world import State, Watched, proof
from tests.receivers import mail_server, receiver

from rollbook.acts.notices import open_notices
from rollbook.errors import Exit
from rollbook.store.models import Delivery, Notice


@pytest.fixture
def school(sqlite_store) -> Watched:
    watched = Watched()
    # The commands go by the machine's own clock: whatever day that is, the register came just now.
    Delivery.objects.update(received_at=dt.datetime.now(dt.UTC))
    return watched


def test_the_list_says_since_when_what_and_what_to_do(school: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ROLLBOOK_SMTP_URL", raising=False)
    run = Inside(monkeypatch)
    assert "nothing an administrator would have to know" in run("notices").stdout
    school.run(State.NOT_PROVEN, proof=proof(missing=1))

    listed = run("notices")
    assert "Run 1 is finished, but not proven" in listed.stdout
    assert "`rollbook proof 1`" in listed.stdout
    assert "Nobody is told of this" in listed.stderr
    (row,) = told("notices")
    assert (row["kind"], row["until"], row["seen"]) == ("not_proven", None, False)

    assert "1 notice marked as seen" in said("notices", "seen", str(row["number"]))
    assert "seen" in run("notices").stdout
    school.run(State.PROVEN, proof=proof())
    assert told("notices") == []
    assert "A later run is proven." in run("notices", "--all").stdout


def test_settings_are_shown_and_changed_and_a_test_message_says_what_came_of_it(school: Watched, monkeypatch):
    run = Inside(monkeypatch)
    monkeypatch.delenv("ROLLBOOK_SMTP_URL", raising=False)
    with receiver() as hook:
        set_ = run("notices", "settings", "--mail", "office@school.example", "--digest", "--webhook", hook.url)
        assert "office@school.example, once a day, at 7:00" in set_.stdout
        secret = set_.stdout.split()[-1]
        assert secret.startswith("whsec_")
        assert "No e-mail is sent" in set_.stderr
        shown = run("notices", "settings")
        assert secret not in shown.stdout
        assert told("notices", "settings")["digest"] is True

        status, tried = run.json("notices", "test")
        assert (status, [each["arrived"] for each in tried]) == (Exit.WITH_REJECTS, [False, True])

        with mail_server() as mailbox:
            monkeypatch.setenv("ROLLBOOK_SMTP_URL", mailbox.url)
            monkeypatch.setenv("ROLLBOOK_MAIL_FROM", "rollbook@school.example")
            assert run("notices", "test").returncode == Exit.OK
            assert "test message" in str(mailbox.mails[0]["Subject"])
            run("notices", "settings", "--no-digest")
            school.run(State.NOT_PROVEN, proof=proof(missing=1))
            assert "1 e-mail sent, 1 event told to webhooks." in run("notices", "send").stdout
            assert "0 e-mails sent" in run("notices", "send").stdout

    monkeypatch.setenv("ROLLBOOK_ROLE", "operator")
    refused = run("notices", "settings", "--no-webhook")
    assert refused.returncode == Exit.APPROVAL_DUE
    monkeypatch.delenv("ROLLBOOK_ROLE")
    assert run("notices", "settings", "--no-webhook", "--no-mail").stdout.startswith("By e-mail: nobody")
    assert run("notices", "test").returncode == Exit.REFUSED


def test_a_credential_says_until_when_it_holds(school: Watched, monkeypatch: pytest.MonkeyPatch):
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5)
    assert told("connection", "--expires", day.isoformat())["expires_on"] == day.isoformat()
    (row,) = told("notices")
    assert row["kind"] == "credential_expiring"
    assert f"on {day}" in row["said"]
    assert f"holds until {day}" in said("connection")


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "127.0.0.1"})


def test_pages_show_what_is_open_and_nothing_where_nothing_is(school: Watched, client: Client):
    pages = ("/", f"/institutes/{school.institute.public_id}/")
    for page in pages:
        assert "To look at" not in client.get(page).content.decode()
    school.run(State.NOT_PROVEN, proof=proof(missing=1))
    school.look()
    for page in pages:
        shown = client.get(page).content.decode()
        assert "Run 1 is finished, but not proven" in shown
        assert "<code>rollbook proof 1</code>" in shown


def test_a_page_shows_ten_and_counts_the_others_with_as_many_queries(school: Watched, client: Client):
    page = f"/institutes/{school.institute.public_id}/"
    with CaptureQueriesContext(connection) as before:
        client.get(page)
    Notice.objects.bulk_create(
        Notice(
            institute=school.institute,
            kind=Notice.Kind.QUARANTINED,
            cause=str(number),
            content={"message": "<b>no</b> `way", "remedy": "", "request_id": "", "code": ""},
            raised_at=school.clock.now(),
        )
        for number in range(13)
    )
    with CaptureQueriesContext(connection) as after:
        shown = client.get(page).content.decode()

    assert len(after) <= len(before) + 1
    assert shown.count("The connection to Microsoft 365 fails") == 10
    assert "... and 3 more" in shown
    assert "<b>no" not in shown
    assert open_notices().count() == 13
    assert json.dumps(told("notices", "--all"))  # whatever is in it, it can be listed
