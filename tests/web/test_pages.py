"""The portal's pages: each answers the same questionnaire, over the real Django stack; then in a real Chromium."""

from __future__ import annotations

import csv
import io
import json
import shutil
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import uvicorn
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.apply.wire import connected, synchronized
from tests.conftest import use_database
from tests.store.world import a_school, deliver
from tests.world import School

from rollbook.acts.actor import Actor
from rollbook.acts.freeze import freeze, thaw
from rollbook.acts.profiles import Author
from rollbook.clock import SystemClock
from rollbook.emulator import Config, Emulator
from rollbook.plan.changes import ChangeVerdict, Kind, Objection
from rollbook.store.changes import select, summed
from rollbook.store.database import sqlite
from rollbook.store.models import Change, Grouping, Hold, Institute, Run
from rollbook.web.server import application


def known_school() -> School:
    """A school whose names try to break out of the page."""
    school = a_school(60).klass("7A Art", students=["Pupil No0"])
    school.people["Pupil No1"] |= {"given_name": "<script>alert(1)</script>", "family_name": "Παπαδάκη"}
    school.people["Pupil No2"] |= {"given_name": "=HYPERLINK(1)", "family_name": "مراد"}
    return school


@pytest.fixture(scope="module")
def synchronized_store(_sqlite_template, tmp_path_factory) -> Path:
    """A store whose school was synchronized once, for every test to have a copy of."""
    path = tmp_path_factory.mktemp("web") / "synchronized.sqlite3"
    shutil.copy(_sqlite_template, path)
    use_database(sqlite(path))
    with Emulator(Config(quota_scale=None, delays=None)) as tenant:
        synchronized(connected(known_school(), tenant))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connections.close_all()
    return path


@pytest.fixture
def run(synchronized_store, tmp_path) -> Iterator[Run]:
    """The run of a synchronized school, in a store of this test's own."""
    path = tmp_path / "rollbook.sqlite3"
    shutil.copy(synchronized_store, path)
    use_database(sqlite(path))
    yield Run.objects.select_related("institute").get()
    connections.close_all()


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "127.0.0.1"})


def addresses(run: Run) -> dict[str, str]:
    root = f"/runs/{run.public_id}/"
    return {
        "home": "/",
        "institute": f"/institutes/{run.institute.public_id}/",
        "run": root,
        "progress": f"{root}progress/",
        "changes": f"{root}changes/",
        "csv": f"{root}changes.csv",
        "json": f"{root}changes.json",
    }


PAGES = ("home", "institute", "run", "progress", "changes", "csv", "json")


@pytest.mark.parametrize("page", PAGES)
def test_it_works(client, run, page):
    answer = client.get(addresses(run)[page])

    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_freeze_is_said_where_one_starts(client, run):
    author = Author(Actor("person", "anna"), SystemClock())
    freeze(run.institute, "the register is moved", author)

    assert b"The connection is frozen since" in client.get("/").content

    thaw(run.institute, author)
    assert b"frozen since" not in client.get("/").content


@pytest.mark.parametrize("page", PAGES)
def test_it_only_shows_and_never_changes(client, run, page):
    assert client.post(addresses(run)[page]).status_code == 405


@pytest.mark.parametrize("page", [page for page in PAGES if page != "home"])
def test_what_does_not_exist_is_said_as_such(client, run, page):
    address = addresses(run)[page]
    known = str(run.institute.public_id if page == "institute" else run.public_id)

    for wrong in (str(uuid.uuid4()), "not-an-id"):
        answer = client.get(address.replace(known, wrong))
        assert answer.status_code == 404
        assert "Nothing is here" in answer.content.decode()


@pytest.mark.parametrize("page", ["changes", "csv", "json"])
@pytest.mark.parametrize("query", ["kind=wizardry", "verdict=maybe"])
def test_a_filter_nobody_knows_is_said_as_such(client, run, page, query):
    answer = client.get(f"{addresses(run)[page]}?{query}")

    assert answer.status_code == 400
    assert query.partition("=")[2] in answer.content.decode()


@pytest.mark.parametrize("page", ["home", "institute", "run", "changes"])
def test_the_number_of_queries_does_not_grow_with_the_school(client, run, page):
    with CaptureQueriesContext(connection) as captured:
        client.get(addresses(run)[page])

    assert len(captured) <= 14


def test_an_empty_installation_says_what_to_do(client, sqlite_store):
    assert "rollbook demo" in client.get("/").content.decode()


def test_a_school_that_was_only_imported_says_what_comes_next(client, sqlite_store):
    institute, _, _ = deliver(a_school())

    assert "rollbook plan" in client.get("/").content.decode()
    assert "rollbook plan" in client.get(f"/institutes/{institute.public_id}/").content.decode()


@pytest.mark.parametrize(
    ("purpose", "scope", "looked", "words"),
    [
        (Run.Purpose.SYNCHRONIZATION, Run.Scope.FULL, {}, "everybody, the tenant read anew"),
        (Run.Purpose.SYNCHRONIZATION, Run.Scope.CHANGED, {"people": [1]}, "what changed, with 1 person"),
        (Run.Purpose.SYNCHRONIZATION, Run.Scope.PEOPLE, {"people": [1, 2]}, "2 chosen people and what depends on them"),
        (Run.Purpose.UNDO, Run.Scope.EVERYTHING, {}, "what another run did, taken back"),
    ],
)
def test_a_run_says_what_it_was_about(client, run, purpose, scope, looked, words):
    Run.objects.filter(pk=run.pk).update(purpose=purpose, scope=scope, looked=looked)

    for page in ("home", "institute", "run"):
        assert words in client.get(addresses(run)[page]).content.decode()


def test_what_scoped_synchronizations_missed_is_told_as_a_defect(client, run):
    Run.objects.filter(pk=run.pk).update(looked={"missed": {"changes": 3, "seqs": [4, 8, 15]}})

    page = client.get(addresses(run)["run"]).content.decode()

    assert "missed 3 of these changes" in page
    assert "numbers 4, 8, 15" in page


def test_names_cannot_break_out_of_a_page(client, run):
    page = client.get(f"{addresses(run)['changes']}?name=Παπαδάκη").content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt; Παπαδάκη gets an account" in page
    assert "<script>alert" not in page


def test_a_name_cannot_become_a_formula_in_a_spreadsheet(client, run):
    answer = b"".join(client.get(f"{addresses(run)['csv']}?name=مراد").streaming_content).decode()

    rows = list(csv.DictReader(io.StringIO(answer)))
    assert rows
    assert all(row["sentence"].startswith("'=HYPERLINK") for row in rows if row["kind"] == "create_user")


def test_exports_hold_what_the_filter_shows(client, run):
    answer = b"".join(client.get(f"{addresses(run)['json']}?verdict=waits").streaming_content)

    (line,) = json.loads(answer)
    assert line["sentence"] == "7A Art becomes a team"
    assert line["reason"] == "waits: no teacher yet"


def test_changes_come_fifty_a_page(client, run):
    first = client.get(addresses(run)["changes"]).content.decode()
    last = client.get(f"{addresses(run)['changes']}?page=99").content.decode()

    assert first.count('class="rb-seq"') == 50
    assert "Page 1 of" in first
    assert 'rel="prev"' in last


def test_what_microsoft_refused_is_shown_with_its_words(client, run):
    from rollbook.store.models import Answer, Intent

    change = Change.objects.filter(run=run).order_by("seq").first()
    number = next(i.number for i in Intent.objects.filter(run=run) if i.seqs == str(change.seq))
    Answer.objects.filter(run=run, number=number).update(
        verdict=int(ChangeVerdict.NEVER), message="Not allowed here", code="Nope"
    )
    Change.objects.filter(pk=change.pk).update(verdict=int(ChangeVerdict.NEVER))

    page = client.get(f"{addresses(run)['changes']}?verdict=never").content.decode()

    assert "Microsoft: Not allowed here (Nope)" in page
    assert "1 not carried out" in client.get(addresses(run)["run"]).content.decode()


@pytest.fixture
def portal(run) -> Iterator[str]:
    """The real server on a free port."""
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    bound.close()


def test_a_run_that_waits_says_how_much_why_whose_it_is_and_how_to_agree(client, run):
    seqs = list(Change.objects.filter(run=run).order_by("seq").values_list("seq", flat=True)[:2])
    Change.objects.filter(run=run, seq__in=seqs).update(verdict=int(ChangeVerdict.UNAPPROVED))
    Hold.objects.bulk_create(Hold(run=run, seq=seq, code="members-removed") for seq in seqs)
    objection = asdict(Objection("members-removed", 2, 10, 1, 5.0, administrator=True))
    Run.objects.filter(pk=run.pk).update(state=Run.State.APPROVAL_DUE, objections=[objection])

    page = client.get(addresses(run)["run"]).content.decode()

    assert sum(row.unapproved for row in summed(Run.objects.get(pk=run.pk))) == 2
    for said in (
        "2 changes wait for an institute administrator to agree",
        "2 × many memberships would end",
        f"rollbook approve {run.number} --all",
        "What a person has to look at",
        "The tenant equals the register but for 2 changes that wait for approval, 1 membership that waits for a stated reason.",
    ):
        assert said in page, said
    Run.objects.filter(pk=run.pk).update(state=Run.State.SUPERSEDED)
    page = client.get(addresses(run)["run"]).content.decode()
    assert "rollbook approve" not in page
    assert "What a person had to look at" in page


def test_teams_that_are_called_alike_are_told_apart_by_their_ids(run):
    lines = [line.sentence for line in select(run, Kind.CREATE_CLASS).lines()]
    assert lines == ["7A Maths gets a class group"]
    Grouping.objects.update(label="1A Art")

    lines = [line.sentence for line in select(run, Kind.CREATE_CLASS).lines()]

    assert lines == ["1A Art (c1) gets a class group"]


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_administrator_clicks_from_the_school_to_a_change(browser, portal, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    page.goto(portal)
    assert page.evaluate("document.documentElement.dataset.bsTheme") == scheme
    assert fits()
    page.get_by_role("link", name="The School").click()
    page.get_by_text("60 students").wait_for()
    assert fits()
    page.locator("tbody a").first.click()
    page.get_by_text("The tenant equals the register but for 1 membership that waits for a stated reason.").wait_for()
    assert fits()
    page.get_by_role("link", name="Every change").click()
    page.get_by_label("Person or class").fill("No7")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Pupil No7 gets an account").wait_for()
    assert fits()
    page.get_by_role("button", name="Light" if scheme == "dark" else "Dark").click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") != scheme
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") != scheme
    assert said == []
    page.close()


@pytest.mark.browser
def test_the_page_of_a_run_follows_it_until_it_ends(browser, portal, run):
    Run.objects.filter(pk=run.pk).update(state=Run.State.APPLYING)
    Change.objects.filter(run=run, seq__lte=10).update(verdict=int(ChangeVerdict.PLANNED))
    page = browser.new_page()
    page.goto(f"{portal}/runs/{run.public_id}/")
    page.get_by_text("This page follows the run by itself.").wait_for()
    page.get_by_text("51 of 61 done").wait_for()

    Change.objects.filter(run=run, seq__lte=10).update(verdict=int(ChangeVerdict.DONE))
    Run.objects.filter(pk=run.pk).update(state=Run.State.PROVEN)

    page.locator("#progress:not([hx-get])").wait_for(timeout=10_000)
    assert page.get_by_text("61 of 61 done").count() == 2  # accounts and licences
    page.close()


def test_an_institute_knows_its_people_by_type(sqlite_store):
    from rollbook.store.overview import people_by_type

    institute, _, _ = deliver(a_school(3))

    assert people_by_type(Institute.objects.get(pk=institute.pk)) == [("student", 3), ("teacher", 1)]
