"""From what just happened to what is remembered: one table from kind and outcome to a verdict, an answer, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from rollbook.apply.journal import Answer
from rollbook.apply.ports import Lookup
from rollbook.apply.requests import ADDITIONS, Surroundings, Work, add_relations, is_there
from rollbook.directory.state import Relation
from rollbook.errors import TenantError
from rollbook.graph import protocol
from rollbook.graph.protocol import Done, Outcome, Postponed, Refused, Unknown
from rollbook.plan.changes import ChangeVerdict, Kind


@dataclass(frozen=True, slots=True)
class Settled:
    """What is remembered of one write (None: nothing yet, it has to be looked up) and which writes follow from it."""

    number: int
    answer: Answer | None
    following: tuple[Work, ...] = ()

    @property
    def unsure(self) -> bool:
        """Whether Microsoft has to be asked what became of it."""
        return self.answer is None

    @property
    def final(self) -> bool:
        """Whether its changes have their last verdict."""
        open_verdicts = (ChangeVerdict.PLANNED, ChangeVerdict.SENT)
        return self.answer is not None and self.answer.verdict not in open_verdicts


class Verdicts:
    """Settles the outcomes of one round of writes."""

    def __init__(self, lookup: Lookup, around: Surroundings) -> None:
        self._lookup = lookup
        self._around = around
        self.unsure = False

    def settle(self, number: int, work: Work, outcome: Outcome) -> Settled:
        """What to remember of this outcome. Relations that a creation carried along are decided by themselves if it failed."""
        settled = self._settled(number, work, outcome)
        if settled.answer is not None:
            settled = replace(settled, answer=replace(settled.answer, request_id=_request_id(outcome)))
        if settled.answer is None or settled.answer.verdict == ChangeVerdict.DONE or not work.carried:
            return settled
        return replace(settled, answer=replace(settled.answer, still_open=tuple(c.seq for c in work.carried)))

    def _settled(self, number: int, work: Work, outcome: Outcome) -> Settled:
        match outcome:
            case Done():
                return self._done(number, work, outcome.answer)
            case Refused():
                return self._refused(number, work, outcome)
            case Postponed():
                return self._postponed(number, work, outcome)
            case Unknown():
                self.unsure = True
                return Settled(number, None)

    def _done(self, number: int, work: Work, answer: protocol.Answer) -> Settled:
        if work.then is not None:
            open_answer = Answer(number, ChangeVerdict.PLANNED, status=answer.status)
            following = replace(
                work, request=work.then, then=None, pause=work.pause_then, pause_then=0.0, names={}, secrets={}
            )
            return Settled(number, open_answer, (following,))
        if work.kind == Kind.CREATE_GROUP:
            return Settled(number, self._group_made(number, work, answer))
        read = RESULTS.get(work.kind, _plainly_done)
        return Settled(number, read(number, work, answer))

    def _group_made(self, number: int, work: Work, answer: protocol.Answer) -> Answer:
        """A group was made, or one with our mark was there already: then its id is asked for (graph.md section 5.1)."""
        if answer.status == 201:
            return _made(number, work, answer)
        subject = work.changes[0].subject
        found = self._lookup.groups_by_mark([self._around.marks[subject]])["object_id"].to_list()
        if not found:
            return Answer(number, ChangeVerdict.LATER, status=answer.status, message=UNSEEN)
        return Answer(number, ChangeVerdict.DONE, status=answer.status, object_ids={subject: str(found[0])})

    def _refused(self, number: int, work: Work, outcome: Refused) -> Settled:
        if work.kind == Kind.CREATE_TEAM and protocol.already_provisioned(outcome.answer):
            return Settled(number, Answer(number, ChangeVerdict.DONE, status=outcome.answer.status))
        if work.kind == Kind.CREATE_TEAM and outcome.answer.status == 404:
            # Teams does not know a group for its first fifteen minutes (graph.md section 7.1), in whichever run that was made.
            return Settled(number, Answer(number, ChangeVerdict.LATER, status=404, message=SETTLING))
        if work.kind in NO_TEAM and outcome.answer.status == 404:
            return Settled(number, Answer(number, ChangeVerdict.NEVER, status=404, message=NO_TEAM[work.kind]))
        if work.kind in FIND_MADE and protocol.object_conflict_target(outcome.answer):
            return Settled(number, FIND_MADE[work.kind](self._lookup, self._around, number, work, outcome))
        if work.kind in NAMING and protocol.object_conflict_target(outcome.answer):
            # Taken since the plan was made; the next plan sees who has it and picks another.
            return Settled(number, _answer(number, ChangeVerdict.LATER, outcome.error))
        if work.instead is not None:
            return Settled(number, _answer(number, ChangeVerdict.PLANNED, outcome.error), (work.instead,))
        if work.kind == Kind.DEMOTE_OWNER:
            return self._refused_demotion(number, work, outcome)
        if work.kind in ADDITIONS:
            return self._refused_addition(number, work, outcome)
        if work.kind == Kind.RETURN_STRANGER and protocol.already_exists(outcome.answer):
            return Settled(number, Answer(number, ChangeVerdict.DONE, status=outcome.answer.status))
        if work.kind in REMOVALS and outcome.answer.status == 404:
            return Settled(number, Answer(number, ChangeVerdict.DONE, status=404))
        return Settled(number, _answer(number, ChangeVerdict.NEVER, outcome.error))

    def _postponed(self, number: int, work: Work, outcome: Postponed) -> Settled:
        """Left to the next run; but where one person cannot be found yet, the others need not wait for them."""
        unseen = outcome.error.status in (400, 404)
        if work.kind in ADDITIONS and len(work.changes) > 1 and unseen:
            return self._halved(number, work, outcome.error)
        if work.instead is not None and unseen:
            return Settled(number, _answer(number, ChangeVerdict.PLANNED, outcome.error), (work.instead,))
        return Settled(number, _answer(number, ChangeVerdict.LATER, outcome.error))

    def _refused_addition(self, number: int, work: Work, outcome: Refused) -> Settled:
        """One bad entry refuses all (graph.md section 5.2): a single one is decided, several are sent again in halves."""
        if len(work.changes) == 1:
            if protocol.already_exists(outcome.answer):
                return Settled(number, Answer(number, ChangeVerdict.DONE, status=outcome.answer.status))
            return Settled(number, _answer(number, ChangeVerdict.NEVER, outcome.error))
        return self._halved(number, work, outcome.error)

    def _refused_demotion(self, number: int, work: Work, outcome: Refused) -> Settled:
        """Over the group, in two requests: what is so already is refused, and no fault.

        A membership that is there may be one that Microsoft is about to end; after the pause it is looked up before that is believed.
        """
        if work.then is not None and outcome.answer.status == 404:
            return self._done(number, work, outcome.answer)
        if work.then is None and protocol.already_exists(outcome.answer):
            verdict, message = (ChangeVerdict.DONE, "") if self._is_member(work) else (ChangeVerdict.LATER, ENDING)
            return Settled(number, Answer(number, verdict, status=outcome.answer.status, message=message))
        return Settled(number, _answer(number, ChangeVerdict.NEVER, outcome.error))

    def _is_member(self, work: Work) -> bool:
        """Whether the one person this is about is a member of the group."""
        (change,) = work.changes
        group, user = self._around.object_ids[change.subject], self._around.object_ids[change.other or 0]
        there = self._lookup.memberships([group]).select("group_object_id", "user_object_id", "relation")
        return (group, user, int(Relation.MEMBER)) in set(there.iter_rows())

    def _halved(self, number: int, work: Work, error: TenantError) -> Settled:
        middle = len(work.changes) // 2
        parts = (work.changes[:middle], work.changes[middle:])
        open_answer = _answer(number, ChangeVerdict.PLANNED, error)
        return Settled(number, open_answer, tuple(add_relations(part, self._around) for part in parts))


def _request_id(outcome: Outcome) -> str:
    return protocol.request_id(outcome.answer) if isinstance(outcome, Done | Refused) else outcome.error.request_id


def _answer(number: int, verdict: ChangeVerdict, error: TenantError) -> Answer:
    return Answer(number, verdict, status=error.status, code=error.code, message=error.message)


def _plainly_done(number: int, work: Work, answer: protocol.Answer) -> Answer:
    return Answer(number, ChangeVerdict.DONE, status=answer.status)


def _made(number: int, work: Work, answer: protocol.Answer) -> Answer:
    """An object was made: its id is in the body."""
    object_ids = {work.changes[0].subject: str(answer.body["id"])}
    return Answer(number, ChangeVerdict.DONE, status=answer.status, object_ids=object_ids)


def _under_way(number: int, work: Work, answer: protocol.Answer) -> Answer:
    """Microsoft is at it: Location names an operation to be asked later (graph.md section 7.2)."""
    operation = answer.header("location") or ""
    verdict = ChangeVerdict.SENT if operation else ChangeVerdict.DONE
    return Answer(number, verdict, status=answer.status, operation=operation)


RESULTS: Mapping[Kind, Callable[[int, Work, protocol.Answer], Answer]] = {
    Kind.CREATE_USER: _made,
    Kind.CREATE_CLASS: _made,
    Kind.CREATE_UNIFIED: _made,
    Kind.CREATE_TEAM: _under_way,
    Kind.ARCHIVE_TEAM: _under_way,
    Kind.UNARCHIVE_TEAM: _under_way,
}


def _find_user(lookup: Lookup, around: Surroundings, number: int, work: Work, outcome: Refused) -> Answer:
    """The name is taken: by our own earlier request, which then is the account, or by somebody else."""
    subject = work.changes[0].subject
    found = lookup.users_by_upn([work.names[subject]])
    return _found(found, around, number, subject, outcome)


def _find_class(lookup: Lookup, around: Surroundings, number: int, work: Work, outcome: Refused) -> Answer:
    subject = work.changes[0].subject
    found = lookup.groups_by_nickname([work.names[subject]])
    return _found(found, around, number, subject, outcome)


def _find_unified(lookup: Lookup, around: Surroundings, number: int, work: Work, outcome: Refused) -> Answer:
    """Our mark or the nickname is taken. Where it was our own earlier request, what it did not bring along is still to be added."""
    subject = work.changes[0].subject
    answer = _found(lookup.groups_by_mark([around.marks[subject]]), around, number, subject, outcome)
    group = answer.object_ids.get(subject)
    if group is None or not work.carried:
        return answer
    there = set(lookup.memberships([group]).select("group_object_id", "user_object_id", "relation").iter_rows())
    absent = tuple(change.seq for change in work.carried if not is_there(change, group, around.object_ids, there))
    return replace(answer, still_open=absent)


def _found(found: pl.DataFrame, around: Surroundings, number: int, subject: int, outcome: Refused) -> Answer:
    ours = found.filter(pl.col("mark") == around.marks[subject])
    if ours.height:
        return Answer(number, ChangeVerdict.DONE, status=200, object_ids={subject: str(ours["object_id"][0])})
    # Taken since the plan was made; the next plan sees who has it and picks another.
    return _answer(number, ChangeVerdict.LATER, outcome.error)


REMOVALS = (Kind.REMOVE_MEMBER, Kind.REMOVE_OWNER, Kind.REMOVE_STRANGER, Kind.LEAVE_LICENCE_GROUP)

SETTLING = (
    "Microsoft 365 makes no team of a group in its first fifteen minutes; waiting helps, the next run tries again."
)

UNSEEN = "The group is there, but Microsoft 365 does not show it yet; the next run looks again."

ENDING = "Microsoft 365 ends the membership together with the ownership and is not through with it; the next run adds the person again."

NO_TEAM: Mapping[Kind, str] = {
    Kind.ARCHIVE_TEAM: "The group has no team at Microsoft 365 (any more), so there is nothing to archive.",
    Kind.UNARCHIVE_TEAM: "The group has no team at Microsoft 365 (any more), so there is nothing to take back from the archive.",
}
"""What is said where the team an act is about does not exist."""

NAMING = (Kind.RENAME_USER, Kind.RESTORE_USER)
"""Kinds that claim a name for an account that is there."""

FIND_MADE: Mapping[Kind, Callable[[Lookup, Surroundings, int, Work, Refused], Answer]] = {
    Kind.CREATE_USER: _find_user,
    Kind.CREATE_CLASS: _find_class,
    Kind.CREATE_UNIFIED: _find_unified,
}
