"""Profiles: which settings count on which day, who changed them, and how they are copied, compared and restored."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from tests.cli.inside import said
from tests.scenarios.stage import FIRST_PROFILE, Stage, actions, merged, proves
from tests.scenarios.tenant import made_by_others

from rollbook.acts import profiles
from rollbook.acts.runs import synchronize
from rollbook.errors import ApprovalDue, InputRefused, ProfileInvalid
from rollbook.profiles import Exported, from_yaml, parse, suggested, timeline, to_yaml
from rollbook.store.models import Profile

NEXT_YEAR = ("2027-09-01", "2028-06-30")


def days(begin: str | None, end: str | None) -> tuple[dt.date | None, dt.date | None]:
    """Both days of a period, open where there is none."""
    return tuple(None if text is None else dt.date.fromisoformat(text) for text in (begin, end))  # type: ignore[return-value]


def a_profile(stage: Stage, name: str, begin: str | None, end: str | None, **users: object) -> Profile:
    """A new profile, with these settings of users beside the suggested ones; not enabled."""
    made = profiles.new(stage.institute(), name, *days(begin, end), stage.author)
    exported = profiles.exported(made)
    document = merged(exported.profile.model_dump(mode="json"), {"users": users})
    profiles.save(made, replace(exported, profile=parse(document)), stage.author)
    return made


def statuses(stage: Stage) -> dict[str, str]:
    """What each profile is on the stage's day."""
    return {entry.profile.name: str(entry.standing) for entry in profiles.listed(stage.institute(), stage.today)}


@proves("P15", "P16", "P22")
def test_a_school_is_synchronized_only_in_the_days_of_an_enabled_profile(stage: Stage):
    stage.school.student("Maria Papadaki", "7A Maths")
    profiles.disable(stage.profile_named(FIRST_PROFILE), stage.author)
    year = a_profile(stage, "Year", "2026-09-01", "2027-06-30")
    profiles.enable(year, stage.author)

    with pytest.raises(InputRefused, match="no execution profile that runs on 2026-08-31"):
        stage.on("2026-08-31").synchronise()
    assert stage.tenant.names() == set()
    stage.on("2026-09-01").synchronise()

    assert stage.tenant.names() == {"Maria Papadaki"}
    with pytest.raises(InputRefused, match="nothing says what to synchronize"):
        stage.on("2027-07-01").synchronise()


@proves("P15", "P23")
def test_the_school_year_a_profile_names_decides_whose_enrolments_count(stage: Stage):
    stage.school.opens("2027-2028", "2027-09-01", "2028-07-01")
    stage.school.klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    stage.school.klass("8A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"], year="2027-2028")
    stage.profile(academic_period="2027-2028", users={"lead_days": 120})

    stage.on("2027-06-01").synchronise()

    assert stage.tenant.teams() == {"8A Maths"}


@proves("P23")
def test_a_school_year_the_register_does_not_have_stops_the_run_and_names_those_it_has(stage: Stage):
    stage.school.student("Maria Papadaki", "7A Maths")
    stage.profile(academic_period="1999-2000")

    with pytest.raises(InputRefused, match="1999-2000") as refused:
        stage.synchronise()

    assert refused.value.remedy == "Choose one of: 2026-2027."
    assert stage.tenant.names() == set()


@proves("P15c")
def test_the_first_run_of_a_profile_waits_for_approval_and_later_ones_do_not(stage: Stage):
    stage.school.klass("7A Maths", teachers=["Nikos Vasilakis"], students=[f"Pupil {n}" for n in range(8)])
    with stage.opened() as session, pytest.raises(ApprovalDue, match="first run"):
        synchronize(session, None)
    assert stage.tenant.names() == set()
    stage.synchronise()
    stage.school.student("Maria Papadaki", "7A Maths")

    with stage.opened() as session:
        synchronize(session, None)

    assert "Maria Papadaki" in stage.tenant.names()


@proves("P15c")
def test_every_new_profile_has_a_first_run_of_its_own(stage: Stage):
    stage.school.student("Maria Papadaki", "7A Maths")
    stage.synchronise()
    profiles.enable(a_profile(stage, "Year", "2026-09-01", None), stage.author)
    stage.school.student("Jan Kowalski", "7A Maths")

    with stage.opened() as session, pytest.raises(ApprovalDue, match="first run"):
        synchronize(session, None)


@proves("P15d")
def test_the_first_run_tells_who_is_matched_who_gets_an_account_and_who_is_ambiguous(stage: Stage):
    stage.school.student("Maria Papadaki").student("Jan Kowalski").student("Eleni Makri")
    stage.tenant_holds(
        made_by_others("maria", employee_id="S1"),
        made_by_others("eleni", employee_id="S3"),
        made_by_others("eleni.old", employee_id="S3"),
    )

    seen = stage.preview()

    assert (
        "Maria Papadaki is linked to the account that is already there: the match property names exactly this one"
        in seen.told
    )
    assert "Jan Kowalski gets an account: in the register, without an account" in seen.told
    assert "several match" in seen.reason("Eleni Makri")


@proves("P18", "P19", "P19a")
def test_the_list_says_what_each_profile_is_on_a_day(stage: Stage):
    stage.school.student("Maria Papadaki")
    a_profile(stage, "Sketch", None, None)
    year = a_profile(stage, "Year", "2026-09-01", "2027-06-30")
    summer = a_profile(stage, "Summer", "2027-06-01", "2027-08-31")
    old = a_profile(stage, "Old", "2025-09-01", "2026-06-30")
    for made in (year, summer, old):
        profiles.enable(made, stage.author)

    assert statuses(stage.on("2026-10-01")) == {
        "Suggested": "Enabled behind Year",
        "Sketch": "Draft",
        "Year": "Running",
        "Summer": "Enabled from 2027-06-01",
        "Old": "Ended",
    }
    profiles.disable(year, stage.author)
    assert statuses(stage)["Year"] == "Disabled"
    assert statuses(stage)["Suggested"] == "Running"


@proves("P19c")
def test_a_profile_that_never_ran_can_be_deleted_and_one_that_ran_cannot(stage: Stage):
    stage.school.student("Maria Papadaki")
    a_profile(stage, "Sketch", None, None)
    stage.synchronise()

    said("profile", "delete", "Sketch", "--yes")
    assert set(statuses(stage)) == {"Suggested"}
    with pytest.raises(InputRefused, match="ran"):
        said("profile", "delete", "Suggested", "--yes")


@proves("P21")
def test_a_profile_needs_a_name_and_a_name_is_given_once_in_a_school(stage: Stage):
    stage.school.student("Maria Papadaki")
    a_profile(stage, "Year", None, None)

    with pytest.raises(InputRefused, match="already"):
        a_profile(stage, "YEAR", None, None)
    with pytest.raises(InputRefused, match="characters"):
        a_profile(stage, " ", None, None)


@proves("P22")
def test_a_period_ends_after_it_begins(stage: Stage):
    stage.school.student("Maria Papadaki")

    with pytest.raises(InputRefused, match="before it begins"):
        a_profile(stage, "Backwards", "2027-06-30", "2026-09-01")


@proves("P24", "P24a")
def test_where_two_profiles_overlap_the_one_that_begins_latest_synchronizes_alone(stage: Stage):
    stage.school.student("Maria Papadaki", "7A Maths")
    upper = {"display_name": {"value": "name", "casing": "upper"}}
    summer = a_profile(stage, "Summer", "2027-06-01", "2027-08-31", mappings=upper)
    for made in (summer, a_profile(stage, "Year", "2026-09-01", "2027-06-30")):
        profiles.enable(made, stage.author)

    stage.on("2027-05-31").synchronise()
    assert stage.tenant.names() == {"Maria Papadaki"}
    stage.on("2027-06-01").synchronise()

    assert stage.tenant.names() == {"MARIA PAPADAKI"}


@proves("P24b")
def test_of_two_profiles_that_begin_together_the_one_enabled_last_runs(stage: Stage):
    stage.school.student("Maria Papadaki")
    first, second = (a_profile(stage, name, "2026-09-01", None) for name in ("First", "Second"))
    profiles.enable(second, stage.on("2026-09-02").author)
    profiles.enable(first, stage.on("2026-09-03").author)

    assert statuses(stage)["First"] == "Running"
    assert statuses(stage)["Second"] == "Enabled behind First"


@proves("P24c")
def test_enabling_a_profile_names_those_it_meets_and_the_list_tells_who_runs_when(stage: Stage):
    stage.school.student("Maria Papadaki")
    year = a_profile(stage, "Year", "2026-09-01", "2027-06-30")
    summer = a_profile(stage, "Summer", "2027-06-01", "2027-08-31")

    assert profiles.enable(year, stage.author) == ["Suggested"]
    assert profiles.enable(summer, stage.author) == ["Suggested", "Year"]
    profiles.disable(stage.profile_named(FIRST_PROFILE), stage.author)

    runs = [
        (str(stretch.begin), str(stretch.end), stretch.name) for stretch in timeline(profiles.slots(stage.institute()))
    ]
    assert runs == [("2026-09-01", "2027-05-31", "Year"), ("2027-06-01", "2027-08-31", "Summer")]


@proves("P25")
def test_profiles_whose_days_do_not_meet_run_each_in_its_own(stage: Stage):
    stage.school.student("Maria Papadaki")
    profiles.disable(stage.profile_named(FIRST_PROFILE), stage.author)
    this = a_profile(stage, "This year", "2026-09-01", "2027-06-30")
    following = a_profile(stage, "Next year", *NEXT_YEAR)

    assert profiles.enable(this, stage.author) == profiles.enable(following, stage.author) == []
    assert statuses(stage.on("2027-06-30"))["This year"] == "Running"
    assert statuses(stage.on("2027-09-01")) == {"Suggested": "Disabled", "This year": "Ended", "Next year": "Running"}


def saved(stage: Stage, name: str, started_from: Exported | None = None, **users: object) -> Exported:
    """The profile with other settings of users, saved as the next version; what it was before."""
    held = stage.profile_named(name)
    before = started_from or profiles.exported(held)
    document = before.profile.model_dump(mode="json")
    document["users"] |= users
    profiles.save(held, replace(before, profile=parse(document)), stage.author, "by hand")
    return before


@proves("P27a", "P27b")
def test_each_save_is_a_version_with_its_author_and_day_and_any_two_can_be_compared(stage: Stage):
    stage.school.student("Maria Papadaki")
    year = a_profile(stage, "Year", None, None)
    saved(stage.on("2026-10-02"), "Year", lead_days=7)
    saved(stage.on("2026-10-05"), "Year", lead_days=3)

    history = [(v.number, v.author, v.saved_at.date().isoformat(), v.note) for v in year.versions.order_by("number")]
    assert history == [
        (1, "tester", "2026-10-01", "suggested settings"),
        (2, "tester", "2026-10-02", "by hand"),
        (3, "tester", "2026-10-05", "by hand"),
    ]
    assert [str(each) for each in profiles.compare(year, 2, 3)] == ["users.lead_days: 7 -> 3"]
    assert [str(each) for each in profiles.compare(year, 1, 3)] == ["users.lead_days: 14 -> 3"]


@proves("P27c")
def test_an_earlier_version_can_be_restored_and_becomes_the_newest(stage: Stage):
    stage.school.student("Maria Papadaki")
    year = a_profile(stage, "Year", None, None)
    saved(stage, "Year", lead_days=7)

    assert profiles.restore(year, 1, stage.author).number == 3

    assert profiles.exported(year).profile == suggested()
    assert [str(each) for each in profiles.compare(year, 1, 3)] == []


@proves("P27d")
def test_of_two_people_who_edit_the_second_to_save_is_told_what_the_first_changed(stage: Stage):
    stage.school.student("Maria Papadaki")
    a_profile(stage, "Year", None, None)
    as_both_opened_it = saved(stage, "Year", lead_days=7)

    with pytest.raises(InputRefused, match=r"saved by tester meanwhile .*users\.lead_days: 14 -> 7") as refused:
        saved(stage, "Year", as_both_opened_it, without_enrolments=False)

    assert "Nothing was saved and your file is as it was" in refused.value.remedy
    assert profiles.exported(stage.profile_named("Year")).profile.users.lead_days == 7


@proves("P27e")
def test_a_profile_taken_out_as_yaml_and_taken_in_elsewhere_is_the_same(stage: Stage):
    stage.school.student("Maria Papadaki")
    a_profile(stage, "Year", "2026-09-01", "2027-06-30", lead_days=7)
    exported = profiles.exported(stage.profile_named("Year"))
    text = to_yaml(exported)
    assert "# Days before it begins from which an enrolment counts as current." in text

    taken_in = profiles.create(stage.institute(), replace(from_yaml(text), name="Year again"), stage.author)

    assert profiles.exported(taken_in) == replace(exported, name="Year again", version=1)


@proves("P27f")
def test_a_file_with_several_mistakes_is_told_all_of_them_with_their_places_and_changes_nothing(stage: Stage):
    stage.school.student("Maria Papadaki")
    a_profile(stage, "Year", None, None)
    text = "name: Year\nbegin: 2027-01-01\nend: 2026-01-01\nsettings:\n  users: {lead_days: -3}\n  teams: {create: everything}\n"

    with pytest.raises(ProfileInvalid) as refused:
        from_yaml(text)

    assert [place for place, _ in refused.value.mistakes] == [
        "end",
        "settings.users.lead_days",
        "settings.teams.create",
    ]
    assert profiles.newest(stage.profile_named("Year")).number == 1


@proves("P28", "P28a")
def test_a_copy_has_every_setting_its_own_name_days_and_school_year_but_no_runs_and_is_not_enabled(stage: Stage):
    stage.school.student("Maria Papadaki", "7A Maths")
    grid = actions(student="Create, Update", teacher="SSO", parent="Create", employee="")
    year = a_profile(stage, "Year", "2026-09-01", "2027-06-30", lead_days=7, **grid)
    profiles.enable(year, stage.author)
    stage.synchronise()

    copied = profiles.copy(year, "Next year", *days(*NEXT_YEAR), "2027-2028", stage.author)

    settings, original = profiles.exported(copied).profile, profiles.exported(year).profile
    assert settings == original.model_copy(update={"academic_period": "2027-2028"})
    assert [(run.profile_version.profile.name) for run in stage.institute().runs.all()] == ["Year"]
    assert statuses(stage.on("2027-09-01"))["Next year"] == "Draft"


@proves("P28")
def test_a_copy_may_be_for_the_same_school_year_with_other_days(stage: Stage):
    stage.school.student("Maria Papadaki")
    stage.profile(academic_period="2026-2027", users={"lead_days": 7})
    original = stage.profile_named(FIRST_PROFILE)

    copied = profiles.copy(original, "Spring", *days("2027-02-01", "2027-06-30"), None, stage.author)

    assert profiles.exported(copied).profile == profiles.exported(original).profile


@proves("P29")
def test_each_part_of_the_settings_can_be_set_alone(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A Maths").student("Maria Papadaki", "7A Maths")
    stage.profile(teams={"create": "nothing"})
    stage.synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki"}
    assert stage.tenant.teams() == set()


@proves("P30")
def test_users_teams_enrolments_and_hierarchies_each_decide_about_what_they_are_named_after(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A Maths").student("Maria Papadaki", "7A Maths")
    stage.school.is_taught("7A Maths", group="7A", subject="Maths")
    settings = stage.profile(
        users={"mappings": {"job_title": {"type": "static", "value": "Ours"}}},
        teams={"create": "subject"},
        enrolments={"student": "none"},
        hierarchies={"student": {"levels": {"group": {}}}},
    )
    stage.synchronise()

    assert list(settings.model_dump())[-4:] == ["users", "teams", "enrolments", "hierarchies"]
    assert stage.tenant.account("Maria Papadaki")["job_title"] == "Ours"
    assert stage.tenant.teams() == {"Maths"}
    assert stage.tenant.members("Maths") == {"Nikos Vasilakis"}
    assert stage.tenant.people("7A (students)") == {"Maria Papadaki"}
