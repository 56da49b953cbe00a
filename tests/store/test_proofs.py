"""Proofs in the store: whole, in their order, kept of the newest runs; on both databases."""

from __future__ import annotations

import polars as pl
import pytest
from tests.store.world import NOW, a_school, a_tenant, deliver

from rollbook.acts.proofs import proven_run
from rollbook.apply.proof import DEVIATIONS, PROVEN, Proof
from rollbook.errors import InputRefused
from rollbook.store.models import Deviation, Institute, Profile, ProfileVersion, ProofGroup, Run, Tenant
from rollbook.store.proofs import PROOFS_KEPT, is_kept, newest_proven, read_deviations, read_groups, save_proof


@pytest.fixture
def institute(store: str) -> Institute:
    found, _, _ = deliver(a_school())
    return found


@pytest.fixture
def tenant(institute: Institute) -> Tenant:
    return a_tenant(institute)


def a_run(institute: Institute, tenant: Tenant, number: int) -> Run:
    version = ProfileVersion.objects.filter(profile__in=Profile.objects.filter(institute=institute)).get()
    common = {"tenant": tenant, "institute": institute, "profile_version": version, "as_of": NOW.date()}
    return Run.objects.create(number=number, fingerprint="f", actor="tester", made_at=NOW, **common)


def a_proof(teams: int = 1, strangers: int = 0) -> Proof:
    """Teams of two, in the first of which somebody is missing, and strangers beside them."""
    numbers = {"expected": 2, "actual": 2, "missing": 0, "extra": 0, "pending": 0, "waiting": 0, "held": 0, "kept": 0}
    numbers["leaving"] = 0
    row = {"purpose": "team", "kind": "class", "there": True, "has_team": True, "cause": None, "seq": None, **numbers}
    groups = [{**row, "team": n, "name": f"Class {n}"} for n in range(1, teams + 1)]
    groups[0] |= {"actual": 1 + strangers, "missing": 1, "kept": strangers, "name": None}
    missing = {"team": 1, "user": 7, "relation": 0, "status": "missing", "why": "refused", "cause": None, "seq": 4}
    kept = {**missing, "user": None, "status": "kept", "why": "not_in_register", "seq": None}
    rows = [missing, *({**kept, "object_id": f"object-{n}"} for n in range(strangers))]
    return Proof(pl.DataFrame(groups, schema=pl.Schema(PROVEN)), pl.DataFrame(rows, schema=pl.Schema(DEVIATIONS)))


def proven(run: Run, proof: Proof) -> Run:
    run.proof = proof.as_json()
    run.save(update_fields=["proof"])
    save_proof(run, proof)
    return run


def test_a_proof_is_read_back_whole_and_in_its_order(institute, tenant):
    proof = a_proof(teams=3, strangers=2_000)

    run = proven(a_run(institute, tenant, 1), proof)

    assert read_groups(run).equals(proof.groups)
    assert read_deviations(run).equals(proof.deviations)
    assert read_deviations(run, limit=1)["status"].to_list() == ["missing"]
    assert read_deviations(run, teams=[2]).is_empty()


def test_proving_a_run_again_replaces_what_was_proven(institute, tenant):
    run = proven(a_run(institute, tenant, 1), a_proof(teams=3, strangers=4))

    proven(run, a_proof())

    assert (read_groups(run).height, read_deviations(run).height) == (1, 1)


def test_proofs_are_kept_of_the_newest_runs_and_the_numbers_of_all(institute, tenant):
    runs = [proven(a_run(institute, tenant, number), a_proof()) for number in range(1, PROOFS_KEPT + 3)]
    planned = a_run(institute, tenant, 99)

    assert [is_kept(run) for run in runs] == [False, False, *[True] * PROOFS_KEPT]
    assert ProofGroup.objects.count() == Deviation.objects.count() == PROOFS_KEPT
    assert Run.objects.get(pk=runs[0].pk).proof["missing"] == 1
    assert newest_proven(tenant, institute) == runs[-1]
    assert not is_kept(planned)


def test_the_proofs_of_one_institute_do_not_push_out_those_of_another_in_its_tenant(institute, tenant):
    other = Institute.objects.create(organisation=institute.organisation, name="Other", sourced_id="other")
    first = proven(a_run(institute, tenant, 1), a_proof())

    for number in range(2, PROOFS_KEPT + 3):
        run = a_run(institute, tenant, number)
        run.institute = other
        run.save()
        proven(run, a_proof())

    assert is_kept(first)


def test_a_proof_of_no_group_at_all_is_a_proof(institute, tenant):
    empty = Proof(pl.DataFrame(schema=pl.Schema(PROVEN)), pl.DataFrame(schema=pl.Schema(DEVIATIONS)))

    run = proven(a_run(institute, tenant, 1), empty)

    assert is_kept(run)
    assert empty.holds


def test_why_there_is_no_proof_is_said(institute, tenant, monkeypatch):
    monkeypatch.setattr("rollbook.acts.proofs.connection_of", lambda _: type("C", (), {"tenant": tenant}))
    with pytest.raises(InputRefused, match="No run was proven yet"):
        proven_run(institute, None)
    a_run(institute, tenant, 1)
    with pytest.raises(InputRefused, match="Run 1 is planned; it was not proven"):
        proven_run(institute, 1)
    with pytest.raises(InputRefused, match="There is no run 5"):
        proven_run(institute, 5)
    old = a_run(institute, tenant, 2)
    old.proof = {"teams": 1, "members_expected": 5, "missing": 0, "extra": 0, "pending": 0}
    old.save()
    with pytest.raises(InputRefused, match="only the numbers are kept"):
        proven_run(institute, 2)
