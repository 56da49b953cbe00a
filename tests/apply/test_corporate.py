"""The corporate tenant over two emulated ones: employees are matched there, nothing is written there (product.md section 2)."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import polars as pl
import pytest
from tests.apply.desk import AUTHOR, person
from tests.apply.wire import carried_out, connected, control, synchronized, users_of
from tests.store.world import ACTOR, Frozen, a_school, deliver
from tests.world import AUTUMN

from rollbook.acts import corporate, profiles
from rollbook.acts.accounts import exported
from rollbook.acts.connections import Credentials
from rollbook.acts.desk import held
from rollbook.acts.links import shown
from rollbook.acts.matches import decide_account, waiting
from rollbook.acts.runs import session, synchronize
from rollbook.acts.tenants import as_it_counts, corrections, planned_with
from rollbook.errors import ApprovalDue, InputRefused, Stop
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.profiles import parse
from rollbook.roster.vocabulary import UserType
from rollbook.store.models import Connection, Institute, Link, Organisation, Secret, Tenant, Trail

CORPORATE = Connection.Purpose.CORPORATE


def a_school_with_staff():
    """A teacher, a pupil, two employees, and one who teaches too."""
    school = a_school(1)
    for name in ("Eleni Office", "Kostas Caretaker"):
        school.person(name, "employee")
    school.person("Nikos Vasilakis", "employee")
    return school


class Staff:
    """A second tenant of the emulator, for employees."""

    def __init__(self, tenant, domain="staff.example"):
        self.running = tenant
        self.id = control(tenant, "/tenants", {"domain": domain, "name": "The Trust"})["id"]
        self.app = control(tenant, "/apps", {"name": "Corporate"})
        roles = ["User.Read.All", "Domain.Read.All", "Organization.Read.All"]
        self.consent = {"app": self.app["client_id"], "tenant": self.id, "roles": roles, "at_once": True}
        control(tenant, "/consent", self.consent)
        self.domain = domain

    @property
    def users(self):
        cloud = self.running.application.cloud
        return {user["userPrincipalName"]: user for user in cloud.tenants[self.id].users.values()}

    def account(self, name, **more):
        seeded = {"userPrincipalName": f"{name}@{self.domain}", "displayName": name, **more}
        control(self.running, "/seed", {"tenant": self.id, "users": [seeded]})
        return self.users[f"{name}@{self.domain}"]["id"]

    def credentials(self, **more):
        given = Credentials(
            self.id,
            self.app["client_id"],
            self.app["client_secret"],
            self.running.graph,
            self.running.login,
            emulated=True,
            quotas=False,
        )
        return replace(given, **more)


def matched(institute, fingerprint=None):
    """One synchronization with the corporate tenant."""
    with session(institute, AUTUMN, ACTOR, Frozen(), purpose=CORPORATE) as opened:
        return synchronize(opened, fingerprint) if fingerprint else carried_out(opened)


def test_employees_are_matched_by_reading_the_directory_and_nothing_is_written(store, tenant):
    staff = Staff(tenant)
    eleni = staff.account("eleni", employeeId="S3")
    institute = connected(a_school_with_staff(), tenant)
    control(tenant, "/counters/reset", {})
    corporate.connect(institute, staff.credentials(), AUTHOR)
    before = {name: dict(user) for name, user in staff.users.items()}

    with session(institute, AUTUMN, ACTOR, Frozen(), purpose=CORPORATE) as opened, pytest.raises(ApprovalDue) as due:
        synchronize(opened, None)
    done = matched(institute, due.value.fingerprint)
    again = matched(institute)

    planned = done.plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    assert [Kind(kind) for kind in planned["kind"]] == [Kind.LINK_USER]
    assert again.plan.counts["changes"] == 0
    assert control(tenant, "/counters")["writes"] == 0
    assert not control(tenant, "/counters")["refused"]
    assert {name: dict(user) for name, user in staff.users.items()} == before
    link = shown(institute, person(institute, "p3"), CORPORATE).link
    assert (link.object_id, link.origin, link.tenant.tid) == (eleni, "adopted", staff.id)


def test_the_own_tenant_leaves_employees_alone_and_keeps_those_who_teach(sqlite_store, tenant):
    staff = Staff(tenant)
    control(
        tenant,
        "/seed",
        {"users": [{"userPrincipalName": "eleni@sample-school.example", "employeeId": "S3", "displayName": "Eleni"}]},
    )
    institute = connected(a_school_with_staff(), tenant)
    corporate.connect(institute, staff.credentials(), AUTHOR)
    done = synchronized(institute)

    assert done.proof.holds
    assert {user["displayName"] for user in users_of(tenant)} == {"Eleni", "Nikos Vasilakis", "Pupil No0"}
    own = institute.connections.get(purpose="main").tenant
    assert Link.objects.filter(tenant=own, kind="user").count() == 2


def test_what_matches_unclearly_is_reviewed_and_decided_there(sqlite_store, tenant):
    staff = Staff(tenant)
    staff.account("eleni.a", employeeId="S3")
    second = staff.account("eleni.b", employeeId="S3")
    institute = connected(a_school_with_staff(), tenant)
    corporate.connect(institute, staff.credentials(), AUTHOR)
    matched(institute)

    (entry,) = waiting(institute, CORPORATE)
    assert (entry.sourced_id, len(entry.candidates)) == ("p3", 2)
    with held(institute, AUTHOR, CORPORATE) as desk:
        decide_account(desk, person(institute, "p3"), second)
    assert waiting(institute, CORPORATE) == []
    assert corporate.standing(institute).linked == 1


def test_employees_are_written_back_from_the_corporate_tenant_with_sso(sqlite_store, tenant):
    staff = Staff(tenant)
    staff.account("eleni", employeeId="S3", mail="eleni@mail.example")
    institute = connected(a_school_with_staff(), tenant)
    corporate.connect(institute, staff.credentials(), AUTHOR)
    synchronized(institute)
    matched(institute)

    rows = {r["sourced_id"]: r for r in csv.DictReader(io.StringIO(exported(institute, AUTUMN, None, AUTHOR)[0]))}
    assert (rows["p3"]["user_name"], rows["p3"]["mail"]) == ("eleni@staff.example", "eleni@mail.example")
    assert (rows["p3"]["state"], rows["p3"]["sso"]) == ("active", "yes")
    assert (rows["p4"]["state"], rows["p4"]["sso"]) == ("none", "no")
    assert rows["p1"]["user_name"] == "nikos.vasilakis@sample-school.example"


def test_one_act_connects_and_removes_it_for_every_institute_also_for_later_ones(sqlite_store, tenant):
    staff = Staff(tenant)
    institute = connected(a_school_with_staff(), tenant)
    second = Institute.objects.create(organisation=institute.organisation, sourced_id="second", name="Second")
    found = corporate.connect(institute, staff.credentials(), AUTHOR)
    later = Institute.objects.create(organisation=institute.organisation, sourced_id="later", name="Later")

    assert (found.tid, found.name, found.default_domain) == (staff.id, "The Trust", "staff.example")
    assert Connection.objects.filter(purpose=CORPORATE).count() == 2
    for each in (institute, second, later):
        assert corporate.standing(each).tenant == found
    corporate.connect(institute, staff.credentials(), AUTHOR)
    assert Connection.objects.filter(purpose=CORPORATE).count() == 3

    corporate.remove(second, AUTHOR)
    assert not Connection.objects.filter(purpose=CORPORATE).exists()
    assert Secret.objects.filter(purpose="credential").count() == 1
    assert Tenant.objects.filter(tid=staff.id).exists()
    with pytest.raises(InputRefused, match="no corporate tenant"):
        corporate.standing(institute)
    assert {t.action for t in Trail.objects.all()} >= {"corporate.connected", "corporate.removed"}


def test_an_institutes_own_tenant_anothers_or_a_wrong_secret_is_refused(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    app = tenant.apps[0]
    own = Staff(tenant).credentials(
        tenant=app["tenant"], client_id=app["client_id"], client_secret=app["client_secret"]
    )
    with pytest.raises(InputRefused, match="the own tenant of The School"):
        corporate.connect(institute, own, AUTHOR)

    foreign = Staff(tenant, "foreign.example")
    Tenant.objects.create(organisation=Organisation.objects.create(name="Other"), tid=foreign.id, name="Foreign")
    with pytest.raises(InputRefused, match="another organisation"):
        corporate.connect(institute, foreign.credentials(), AUTHOR)
    with pytest.raises(Stop):
        corporate.connect(institute, foreign.credentials(client_secret="wrong"), AUTHOR)
    assert not Connection.objects.filter(purpose=CORPORATE).exists()


def test_settings_of_employees_are_locked_and_saving_corrects_them(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    profile = profiles.find(institute, "Suggested")
    settings = parse(profiles.newest(profile).document)
    assert corrections(institute, settings) == []
    assert as_it_counts(institute, settings) == planned_with(institute, settings, Connection.Purpose.MAIN) == settings

    corporate.connect(institute, Staff(tenant).credentials(), AUTHOR)
    assert as_it_counts(institute, settings).users.roles[UserType.EMPLOYEE].domain == "staff.example"
    assert [str(each) for each in corrections(institute, settings)] == ["users.actions.employee.update: yes -> no"]
    version = profiles.save(profile, profiles.exported(profile), AUTHOR)
    assert version.number == 2
    assert version.document["users"]["actions"]["employee"] == {
        "create": False,
        "update": False,
        "deactivate": False,
        "sso": True,
    }
    assert profiles.save(profile, profiles.exported(profile), AUTHOR).number == 2


def test_an_employee_who_leaves_is_not_disabled_there(sqlite_store, tenant):
    staff = Staff(tenant)
    eleni = staff.account("eleni", employeeId="S3")
    school = a_school_with_staff()
    institute = connected(school, tenant)
    corporate.connect(institute, staff.credentials(), AUTHOR)
    matched(institute)
    deliver(school.leaves("Eleni Office"))
    control(tenant, "/counters/reset", {})

    assert matched(institute).plan.counts["changes"] == 0
    assert control(tenant, "/counters")["writes"] == 0
    assert staff.users["eleni@staff.example"]["accountEnabled"]
    assert shown(institute, person(institute, "p3"), CORPORATE).link.object_id == eleni


def test_whoever_tries_to_write_there_is_a_defect(sqlite_store, tenant):
    from rollbook.acts.connections import opened
    from rollbook.graph.codec import update_user
    from rollbook.graph.protocol import Item

    institute = connected(a_school(1), tenant)
    corporate.connect(institute, Staff(tenant).credentials(), AUTHOR)
    connection = Connection.objects.get(purpose=CORPORATE)
    with opened(connection, Frozen()) as there, pytest.raises(RuntimeError, match="only read"):
        list(there.writer.write([Item(1, update_user("x", {"city": "Athens"}), frozenset("x"))], lambda _: None))
