"""The profile document: defaults, mistakes reported together, every setting explained."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from rollbook.errors import ProfileInvalid
from rollbook.profiles import parse, suggested
from rollbook.profiles.document import Chosen, LeftOut, Profile
from rollbook.profiles.enrolments import Enrolments
from rollbook.profiles.hierarchies import Hierarchies, Hierarchy, LevelSettings
from rollbook.profiles.rows import Row
from rollbook.profiles.teams import ExtraOwner, Teams
from rollbook.profiles.users import Graces, Licence, Role, UserNames, Users
from rollbook.roster.vocabulary import TeacherType, UserType


def test_the_suggested_profile_does_everything_for_students_and_teachers_and_nothing_for_parents():
    actions = suggested().users.actions

    assert actions[UserType.STUDENT].model_dump() == dict.fromkeys(["create", "update", "deactivate", "sso"], True)
    assert actions[UserType.TEACHER].model_dump() == dict.fromkeys(["create", "update", "deactivate", "sso"], True)
    assert actions[UserType.EMPLOYEE].model_dump() == {
        "create": False,
        "update": True,
        "deactivate": False,
        "sso": True,
    }
    assert not actions[UserType.PARENT].managed


def test_students_are_members_teachers_and_assistants_are_owners_the_rest_is_nothing():
    enrolments = suggested().enrolments

    assert enrolments.student == "member"
    owners = [kind for kind, role in enrolments.teachers.items() if role == "owner"]
    assert owners == [TeacherType.TEACHER, TeacherType.ASSISTANT]
    assert set(enrolments.teachers) == set(TeacherType)


def test_a_document_survives_being_written_and_read():
    assert parse(suggested().model_dump(mode="json")) == suggested()


def test_all_mistakes_are_reported_together_with_their_paths():
    document = {
        "users": {"lead_days": -1, "names": {"candidates": ["shoe.size"]}},
        "teams": {"create": "everything"},
        "colour": "red",
    }

    with pytest.raises(ProfileInvalid) as refused:
        parse(document)

    assert [path for path, _ in refused.value.mistakes] == [
        "users.names",
        "users.lead_days",
        "teams.create",
        "colour",
    ]


def test_a_user_type_without_actions_is_a_mistake_that_names_it():
    actions = {
        t.value: {"create": True, "update": True, "deactivate": True, "sso": True} for t in UserType if t != "parent"
    }

    with pytest.raises(ProfileInvalid, match="parent"):
        parse({"users": {"actions": actions}})


@pytest.mark.parametrize(
    "part",
    [
        *(Users, Role, UserNames, Graces, Licence, Row, Chosen, LeftOut),
        *(Teams, ExtraOwner, Enrolments, Hierarchies, Hierarchy, LevelSettings),
    ],
    ids=lambda part: part.__name__,
)
def test_every_setting_says_what_it_means(part: type[BaseModel]):
    silent = [name for name, setting in part.model_fields.items() if len(setting.description or "") < 20]

    assert not silent


def test_an_unknown_document_version_is_refused_rather_than_guessed():
    with pytest.raises(ProfileInvalid, match="document_version"):
        parse({"document_version": 99})


def test_a_profile_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="frozen"):
        suggested().academic_period = "2027"  # type: ignore[misc]


def test_the_schema_of_the_document_can_be_published():
    schema = Profile.model_json_schema()

    assert schema["properties"]["users"]
    assert "lead_days" in str(schema)
