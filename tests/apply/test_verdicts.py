"""What became of a change in the words of a school, and what a refusal for want of permission means."""

from __future__ import annotations

import pytest

from rollbook.apply.verdicts import ABOUT, BLOCKED, BUSY, REFUSED, said, told
from rollbook.errors import Later, Never, Stop
from rollbook.graph.consent import withdrawn
from rollbook.graph.protocol import Answer, Request, request_id, verdict
from rollbook.plan.changes import ChangeVerdict, Kind

NEVER, LATER = ChangeVerdict.NEVER, ChangeVerdict.LATER


def test_what_went_as_planned_needs_no_words():
    assert told(Kind.CREATE_USER, ChangeVerdict.DONE, 201) is None
    assert told(Kind.CREATE_TEAM, ChangeVerdict.WAITS) is None


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_and_status_says_what_happened_who_acts_and_whether_waiting_helps(kind: Kind):
    for verdict_, statuses in (
        (NEVER, (200, 400, 403, 404, 418)),
        (LATER, (0, 400, 401, 403, 404, 409, 423, 429, 500, 503)),
    ):
        for status in statuses:
            found = told(kind, verdict_, status)
            assert found is not None
            assert found.what
            assert found.acts
            assert said(found).endswith(("Waiting helps.", "Waiting does not help."))


def test_a_code_is_told_before_its_status_and_a_status_before_the_verdict():
    role = told(Kind.DISABLE_USER, NEVER, 403, "Authorization_RequestDenied")
    assert role is not None
    assert "Microsoft refused it" in role.what
    assert "perhaps this one holds an administrator role" in role.what
    assert "`rollbook protect remove`" in role.acts
    other = told(Kind.DISABLE_USER, NEVER, 403, "Something")
    assert other is not None
    assert other != role
    assert told(Kind.DISABLE_USER, NEVER, 418) == REFUSED
    assert told(Kind.DISABLE_USER, LATER, 599) == BUSY
    assert told(Kind.ADD_MEMBER, ChangeVerdict.BLOCKED) == BLOCKED


def test_a_request_is_named_for_support_by_its_header_or_by_the_faults_own_body():
    body = {"error": {"code": "x", "message": "", "innerError": {"request-id": "of-the-body"}}}

    assert request_id(Answer(200, {"request-id": "of-the-header"})) == "of-the-header"
    assert request_id(Answer(403, {}, body)) == "of-the-body"
    fault = verdict(Request("PATCH", "/users/1"), Answer(503, {}, body))
    assert isinstance(fault, Later)
    assert fault.request_id == "of-the-body"


def test_a_challenge_of_conditional_access_has_its_own_sentence():
    plain = verdict(Request("GET", "/users"), Answer(401, {"www-authenticate": 'Bearer realm=""'}))
    asked = verdict(Request("GET", "/users"), Answer(401, {"www-authenticate": 'Bearer error="insufficient_claims"'}))

    assert isinstance(plain, Stop)
    assert isinstance(asked, Stop)
    assert "conditional access" in asked.message
    assert "conditional access" not in plain.message


DENIED = Never("no", status=403, code="Authorization_RequestDenied", request_id="r1")


@pytest.mark.parametrize(
    ("method", "path", "roles", "says"),
    [
        ("GET", "/users", (), "withdrawn"),
        ("PATCH", "/users/1", ("User.Read.All",), "User.ReadWrite.All"),
        ("POST", "/education/classes", ("Group.ReadWrite.All",), "EduRoster.ReadWrite.All"),
        ("POST", "/teams", ("User.ReadWrite.All",), "Group.ReadWrite.All"),
    ],
)
def test_a_refusal_that_the_tokens_roles_explain_is_a_stop(method: str, path: str, roles: tuple[str, ...], says: str):
    stop = withdrawn(Request(method, path), DENIED, frozenset(roles))

    assert stop is not None
    assert says in stop.message
    assert stop.request_id == "r1"


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("PATCH", "/users/1", "User.ReadWrite.All"),
        ("PATCH", "/users/1", "Directory.ReadWrite.All"),
        ("PATCH", "/groups/1", "GroupMember.ReadWrite.All"),
        ("GET", "/roleManagement/directory/roleAssignments", "User.Read.All"),
        ("POST", "/users/1/assignLicense", "User.Read.All"),
    ],
)
def test_a_refusal_they_do_not_explain_is_about_this_one_object(method: str, path: str, role: str):
    assert withdrawn(Request(method, path), DENIED, frozenset({role})) is None
    assert withdrawn(Request(method, path), Never("no", status=400), frozenset()) is None


def test_every_kind_of_change_that_is_about_no_account_says_what_it_is_about():
    listed = {kind for kinds in ABOUT.values() for kind in kinds}

    others = {kind for kind in Kind if kind not in listed}
    assert others == {kind for kind in others if "user" in kind.label or "password" in kind.label} | {Kind.LINK_GROUP}
