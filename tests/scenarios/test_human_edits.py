"""What somebody does in the tenant by hand: seen the next day, told with its own reason, and handled by rule (docs/human-edits.md)."""

from __future__ import annotations

from tests.scenarios.stage import Stage, proves
from tests.scenarios.tenant import made_by_others


@proves("P87c")
def test_what_was_changed_by_hand_is_put_right_the_next_day_and_the_plan_says_so(stage: Stage):
    stage.tenant_holds(made_by_others("vera", "Vera Lind"))
    stage.school.klass("7A Maths", ["Nikos Vasilakis"], ["Maria Papadaki", "Jan Kowalski"])
    stage.school.klass("7B Art", ["Eleni Demetriou"], ["Anna Rossi"])
    stage.on("2026-10-01").synchronise()
    tenant = stage.tenant
    jan = tenant.account("Jan Kowalski").object_id
    tenant.is_taken_out("Maria Papadaki", "7A Maths")
    tenant.joins("Anna Rossi", "7A Maths")
    tenant.joins("Vera Lind", "7A Maths")
    tenant.edits("7B Art", displayName="The best class")
    tenant.control("edit", user=jan, set={"displayName": "Somebody"})

    done = stage.on("2026-10-02").synchronise()

    assert done.said("7A Maths gains Maria Papadaki", "took them out at Microsoft by hand")
    assert done.said("7A Maths loses Anna Rossi", "put them in at Microsoft by hand")
    assert done.said("7B Art's class group is updated", "by hand")
    assert done.said("Jan Kowalski's account is updated", "by hand")
    assert tenant.members("7A Maths") == {"Nikos Vasilakis", "Maria Papadaki", "Jan Kowalski", "Vera Lind"}
    assert ("7A Maths", "kept") in {(team, status) for team, _, status, _ in done.deviations}
    assert stage.on("2026-10-03").synchronise().changes == 0


@proves("P50e", "P50f", "P50g")
def test_what_was_disabled_or_deleted_by_hand_is_shown_and_what_can_be_restored_is(stage: Stage):
    stage.school.klass("7A Maths", ["Nikos Vasilakis"], ["Maria Papadaki", "Jan Kowalski"])
    stage.school.klass("7B Art", ["Eleni Demetriou"], ["Anna Rossi"])
    stage.on("2026-10-01").synchronise()
    tenant = stage.tenant
    tenant.control("edit", user=tenant.account("Maria Papadaki").object_id, set={"accountEnabled": False})
    tenant.control("delete", user=tenant.account("Jan Kowalski").object_id)
    tenant.deletes("7B Art")

    done = stage.on("2026-10-02").attempt()

    assert "somebody else disabled the account" in done.reason("Maria Papadaki")
    assert "no longer in the tenant" in done.reason("7B Art")
    assert done.said("Jan Kowalski's deleted account is restored")
    stage.on("2026-10-03").attempt()
    assert not tenant.account("Maria Papadaki").enabled
    assert tenant.account("Jan Kowalski").enabled
    assert "Jan Kowalski" in tenant.members("7A Maths")
    assert "7B Art" not in tenant.groups()
