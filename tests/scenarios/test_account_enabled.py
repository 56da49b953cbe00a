"""AccountEnabled: who may sign in, since they are active and have what their type needs - and who may not, and from which day."""

from __future__ import annotations

from tests.scenarios.stage import Stage, actions, proves
from tests.scenarios.tenant import made_by_others


def maria(stage: Stage) -> None:
    """A school with one student."""
    stage.school.student("Maria Papadaki", "7A")


def enabled(stage: Stage) -> dict[str, bool]:
    """Who may sign in."""
    return {account.name: account.enabled for account in stage.tenant.accounts()}


@proves("P47", "P47a")
def test_students_and_teachers_may_sign_in_while_they_are_active_and_have_a_current_enrolment_or_teaching(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").teacher("Eleni Demetriou", "7A")
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A").student("Anna Rossi", "7A")
    stage.synchronise()

    stage.school.leaves("Jan Kowalski").drops("Anna Rossi", "7A").drops("Eleni Demetriou", "7A")
    stage.synchronise()

    assert enabled(stage) == {
        "Nikos Vasilakis": True,
        "Eleni Demetriou": False,
        "Maria Papadaki": True,
        "Jan Kowalski": False,
        "Anna Rossi": False,
    }


@proves("P47a")
def test_an_enrolment_in_another_school_year_than_the_profiles_does_not_count(stage: Stage):
    stage.school.opens("2027-2028", "2027-09-01", "2028-07-01")
    stage.school.klass("7A", students=["Maria Papadaki"]).klass("8A", students=["Jan Kowalski"], year="2027-2028")
    stage.profile(academic_period="2027-2028")

    stage.on("2027-09-01").synchronise()

    assert enabled(stage) == {"Maria Papadaki": False, "Jan Kowalski": True}


@proves("P47b")
def test_a_parent_may_sign_in_while_one_child_has_a_current_enrolment(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").student("Jan Papadakis", "7A").student("Anna Rossi", "7A")
    stage.school.parent("Eva Papadaki", of=["Maria Papadaki", "Jan Papadakis"]).parent("Bruno Rossi", of=["Anna Rossi"])
    stage.profile(users=actions(parent="Create, Update, Deactivate"))
    stage.synchronise()
    assert enabled(stage)["Eva Papadaki"]
    assert enabled(stage)["Bruno Rossi"]

    stage.school.leaves("Jan Papadakis").leaves("Anna Rossi")
    stage.synchronise()

    assert enabled(stage)["Eva Papadaki"]
    assert not enabled(stage)["Bruno Rossi"]


@proves("P47c")
def test_an_employee_may_sign_in_while_active_whatever_is_taught(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").employee("Omar Haddad").employee("Ines Costa")
    stage.profile(users=actions(employee="Create, Update, Deactivate"))
    stage.synchronise()
    stage.school.leaves("Ines Costa")
    stage.synchronise()

    assert enabled(stage) == {"Maria Papadaki": True, "Omar Haddad": True, "Ines Costa": False}


@proves("P47d")
def test_where_deactivate_is_off_nobody_loses_the_sign_in(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.profile(users=actions(student="Create, Update"))
    stage.synchronise()

    stage.school.leaves("Maria Papadaki").drops("Jan Kowalski", "7A")
    stage.synchronise()

    assert enabled(stage) == {"Maria Papadaki": True, "Jan Kowalski": True}


@proves("P47e", "P50f")
def test_an_account_that_was_disabled_by_somebody_else_is_not_enabled_because_its_owner_is_enrolled(stage: Stage):
    maria(stage)
    stage.tenant_holds(made_by_others("maria", employee_id="S1", accountEnabled=False))

    stage.synchronise()

    assert enabled(stage) == {"Maria Papadaki": False}


@proves("P47f")
def test_where_it_is_mapped_from_being_active_alone_a_student_without_enrolments_may_sign_in(stage: Stage):
    stage.profile(users={"mappings": {"account_enabled": {"value": "active"}}})
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.synchronise()

    stage.school.drops("Maria Papadaki", "7A").leaves("Jan Kowalski")
    stage.synchronise()

    assert enabled(stage) == {"Maria Papadaki": True, "Jan Kowalski": False}


@proves("P47f", "P47d", "P47e")
def test_it_can_be_an_expression_whose_no_acts_only_with_deactivate_and_whose_yes_only_on_what_we_disabled(
    stage: Stage,
):
    locked = {"type": "expression", "value": "{{ 'no' if phone == 'locked' else 'yes' }}"}
    stage.profile(users=actions(student="Create, Update") | {"mappings": {"account_enabled": locked}})
    maria(stage)
    stage.synchronise()
    stage.school.changes("Maria Papadaki", phone="locked")
    stage.synchronise()
    assert enabled(stage) == {"Maria Papadaki": True}

    stage.profile(users=actions(student="Create, Update, Deactivate"))
    stage.synchronise()
    assert enabled(stage) == {"Maria Papadaki": False}
    stage.school.changes("Maria Papadaki", phone="")
    stage.on("2026-10-02").synchronise()

    assert enabled(stage) == {"Maria Papadaki": True}


@proves("P47f", "P31e")
def test_where_it_gives_neither_yes_nor_no_that_person_waits_and_keeps_the_sign_in(stage: Stage):
    maria(stage)
    stage.school.student("Jan Kowalski", "7A", phone="no")
    stage.synchronise()
    stage.profile(
        users={"mappings": {"account_enabled": {"type": "expression", "value": "{{ coalesce(phone, 'perhaps') }}"}}}
    )

    done = stage.synchronise()

    assert "a mapping gives no usable value" in done.reason("Maria Papadaki")
    assert enabled(stage) == {"Maria Papadaki": True, "Jan Kowalski": False}


@proves("P47g")
def test_an_enrolment_counts_from_two_weeks_before_it_begins_unless_the_profile_says_otherwise(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki").joins(
        "Maria Papadaki", "7A", begin="2026-11-15"
    )

    stage.on("2026-10-31").synchronise()
    assert stage.tenant.members("7A") == {"Nikos Vasilakis"}
    assert not enabled(stage)["Maria Papadaki"]
    stage.profile(users={"lead_days": 15})
    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P47", "P47e", "P47g")
def test_an_account_made_before_its_owner_has_an_enrolment_may_sign_in_once_there_is_one(stage: Stage):
    stage.school.student("Maria Papadaki").joins("Maria Papadaki", "7A", begin="2026-11-15")
    stage.on("2026-10-31").synchronise()
    assert enabled(stage) == {"Maria Papadaki": False}

    stage.on("2026-11-01").synchronise()

    assert enabled(stage) == {"Maria Papadaki": True}


@proves("P47h")
def test_the_last_day_of_an_enrolment_is_the_first_without_it(stage: Stage):
    maria(stage)
    stage.school.stops("Maria Papadaki", "7A", "2026-12-01")

    stage.on("2026-11-30").synchronise()
    assert enabled(stage) == {"Maria Papadaki": True}
    stage.on("2026-12-01").synchronise()

    assert enabled(stage) == {"Maria Papadaki": False}


def a_summer(stage: Stage) -> None:
    """A school year that is over, and the next one, which begins in September."""
    stage.school.opens("2027-2028", "2027-09-01", "2028-07-01")
    stage.school.klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    stage.on("2027-06-01").synchronise()
    stage.school.klass("8A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"], year="2027-2028")
    stage.on("2027-07-20").synchronise()


@proves("P47i")
def test_in_the_summer_between_two_school_years_no_team_loses_anybody(stage: Stage):
    a_summer(stage)

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P47i")
def test_in_the_summer_between_two_school_years_nobody_is_disabled(stage: Stage):
    a_summer(stage)

    assert enabled(stage) == {"Nikos Vasilakis": True, "Maria Papadaki": True}
