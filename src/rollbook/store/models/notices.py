"""What administrators are told: notices, who is told in which way, and what is still to be said to whom."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.base import Exposed

LATE_AFTER = 7
"""Days without a delivery after which a register counts as not delivered."""


class Notice(Exposed):
    """Something an administrator should know of, open until its cause is gone. One at a time for each cause.

    `cause` names what it is about within its kind; what stands behind its # is a turn of one and the same matter. `content` holds
    codes and numbers, never names of people.
    """

    class Kind(models.TextChoices):
        """What is the matter; docs/notices.md says of each what to do."""

        JOB_FAILED = "job_failed"
        NOT_PROVEN = "not_proven"
        CHANGES_REFUSED = "changes_refused"
        APPROVAL_DUE = "approval_due"
        QUARANTINED = "quarantined"
        SEATS_SHORT = "seats_short"
        CREDENTIAL_EXPIRING = "credential_expiring"
        REGISTER_LATE = "register_late"
        DELIVERY_STAGED = "delivery_staged"
        WEBHOOK_UNDELIVERED = "webhook_undelivered"
        MAIL_UNDELIVERED = "mail_undelivered"

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=24, choices=Kind.choices)
    cause = models.CharField(max_length=128)
    content = models.JSONField(default=dict)
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    replaced = models.BooleanField(default=False)  # it ended because another turn of the same matter took its place
    seen_at = models.DateTimeField(null=True)  # when somebody said that they know

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("institute", "kind", "cause"), condition=models.Q(ended_at__isnull=True), name="notice_open"
            )
        ]

    @property
    def matter(self) -> str:
        """What it is about, whichever turn that took."""
        return self.cause.partition("#")[0]


class NoticeChannel(models.Model):
    """How an institute's administrators are told, and how far its webhook was told what the outbox holds.

    `secret` signs what the webhook is told; it is encrypted by the vault. `told` is the newest sequence that was delivered or given up.
    """

    institute = models.OneToOneField("store.Institute", on_delete=models.CASCADE, related_name="channel")
    addresses = models.JSONField(default=list)
    digest = models.BooleanField(default=False)
    digest_hour = models.PositiveSmallIntegerField(default=7)  # where the institute is
    late_after = models.PositiveSmallIntegerField(default=LATE_AFTER)
    webhook = models.URLField(max_length=500, blank=True, default="")
    key_id = models.CharField(max_length=16, blank=True, default="")
    secret = models.BinaryField(null=True)
    told = models.PositiveBigIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=255, blank=True, default="")  # what came of the newest try
    claimed_until = models.DateTimeField(null=True)  # by the process that tells it now


class NoticeMail(models.Model):
    """What one address is still to be told of a notice: that it is so, or (`ended`) no longer. Gone once it was sent, or given up."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="mails")
    address = models.CharField(max_length=254)
    ended = models.BooleanField(default=False)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=255, blank=True, default="")
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("notice", "address", "ended", name="notice_mail")]
        indexes = [models.Index("due_at", name="notice_mail_due")]
