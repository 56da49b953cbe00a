"""Jobs: synchronizations that were asked for, and the workers that carry them out."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.base import Exposed


class Job(Exposed):
    """A synchronization somebody or something asked for, and what became of it (docs/jobs.md). One per tenant is under way at a time."""

    class Kind(models.TextChoices):
        """What is asked for."""

        EVERYTHING = "everything"
        FULL = "full"  # the tenant read anew
        CHANGED = "changed"  # whatever changed, or fell due, since the last look
        PEOPLE = "people"  # chosen ones
        APPLY = "apply"  # what may go of a stored plan

    class State(models.TextChoices):
        """Where it is; docs/jobs.md has the picture."""

        QUEUED = "queued", "Queued"
        PLANNING = "planning", "Planning"
        APPROVAL_DUE = "approval_due", "Waiting for approval"
        APPLYING = "applying", "Applying"
        PAUSED = "paused", "Paused"
        WAITING = "waiting", "Waiting for Microsoft"
        STOPPING = "stopping", "Stopping"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"
        QUARANTINED = "quarantined", "Quarantined"
        CANCELLED = "cancelled", "Cancelled"

    class Cause(models.TextChoices):
        """Who or what asked."""

        SCHEDULE = "schedule", "the schedule"
        REGISTER = "register", "a change in the register"
        HAND = "hand", "somebody"
        AGAIN = "again", "what an earlier one left open"

    class Wish(models.TextChoices):
        """What somebody wants of a job that is under way; it is done at its next batch."""

        NONE = ""
        PAUSE = "pause"
        STOP = "stop"

    tenant = models.ForeignKey("store.Tenant", on_delete=models.CASCADE, related_name="jobs")
    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    people = models.JSONField(default=list)  # keys of persons of the register, where they were chosen
    run = models.ForeignKey("store.Run", on_delete=models.SET_NULL, null=True, related_name="jobs")
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    wish = models.CharField(max_length=8, choices=Wish.choices, default=Wish.NONE, blank=True)
    cause = models.CharField(max_length=16, choices=Cause.choices)
    slot = models.CharField(max_length=64, null=True)  # of the schedule: which of its times, so that each comes once
    turn = models.PositiveIntegerField(
        default=0
    )  # how often the engine was given it; known to the engine by this number
    given_at = models.DateTimeField(
        null=True
    )  # when the engine was given its present turn; null while it waits for one
    worker = models.CharField(
        max_length=255, blank=True, default=""
    )  # who took the present turn, and alone may say how it ended
    tries = models.PositiveIntegerField(default=0)  # how often in a row it waited for Microsoft
    actor_kind = models.CharField(max_length=32)
    actor = models.CharField(max_length=255)
    role = models.PositiveSmallIntegerField(default=2)  # apply.approval.Role of whoever asked
    asked_at = models.DateTimeField()
    since = models.DateTimeField()  # when it came into its state
    wake_at = models.DateTimeField(null=True)  # when it is taken up again, if it waits for a moment
    notice = models.JSONField(null=True)  # why it failed or waits: message, remedy, code, request_id
    progress = models.JSONField(default=dict)  # what it does now: stage, done, total

    class Meta:
        constraints = [models.UniqueConstraint("institute", "slot", name="job_slot")]
        indexes = [
            models.Index("state", "wake_at", name="job_state"),
            models.Index("tenant", "state", name="job_tenant"),
        ]


class Worker(models.Model):
    """A process that carries out jobs. One that was not seen for a while is taken for dead, and its jobs go on elsewhere."""

    name = models.CharField(max_length=255, unique=True)
    slots = models.PositiveIntegerField()
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
