"""The structure of a school and who learns and teaches what. References are entities of the same source."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.versioned import Correctable, Versioned


class Location(Versioned):
    """Campus, school or department."""

    name = models.CharField(max_length=255)
    code = models.CharField(max_length=255, null=True)
    kind = models.CharField(max_length=16)
    parent = models.BigIntegerField(null=True)

    class Meta(Versioned.Meta):
        abstract = False


class AcademicPeriod(Versioned):
    """A school year; the end day is outside."""

    title = models.CharField(max_length=255)
    begin = models.DateField(null=True)
    end = models.DateField(null=True)

    class Meta(Versioned.Meta):
        abstract = False


class MarkingPeriod(Versioned):
    """A term inside a school year."""

    title = models.CharField(max_length=255)
    begin = models.DateField(null=True)
    end = models.DateField(null=True)
    period = models.BigIntegerField(null=True)

    class Meta(Versioned.Meta):
        abstract = False


class Grade(Versioned):
    """Year group or programme."""

    name = models.CharField(max_length=255)

    class Meta(Versioned.Meta):
        abstract = False


class Group(Versioned):
    """The people taught together."""

    name = models.CharField(max_length=255)
    code = models.CharField(max_length=255, null=True)
    location = models.BigIntegerField(null=True)
    grade = models.BigIntegerField(null=True)

    class Meta(Versioned.Meta):
        abstract = False
        indexes = [
            *Versioned.Meta.indexes,
            models.Index("entity", name="group_entity"),
            models.Index("sourced_id", name="group_sourced"),
        ]


class Subject(Versioned):
    """What is taught."""

    name = models.CharField(max_length=255)
    code = models.CharField(max_length=255, null=True)
    location = models.BigIntegerField(null=True)

    class Meta(Versioned.Meta):
        abstract = False
        indexes = [
            *Versioned.Meta.indexes,
            models.Index("entity", name="subject_entity"),
            models.Index("sourced_id", name="subject_sourced"),
        ]


class Klass(Versioned):
    """A class: one group and subject in one school year. Two on one such pair stay two."""

    title = models.CharField(max_length=255)
    code = models.CharField(max_length=255, null=True)
    kind = models.CharField(max_length=16)
    group = models.BigIntegerField(null=True)
    subject = models.BigIntegerField(null=True)
    location = models.BigIntegerField(null=True)
    grade = models.BigIntegerField(null=True)
    period = models.BigIntegerField(null=True)

    class Meta(Versioned.Meta):
        abstract = False
        indexes = [
            *Versioned.Meta.indexes,
            models.Index("entity", name="klass_entity"),
            models.Index("sourced_id", name="klass_sourced"),
            models.Index("group", name="klass_group"),
            models.Index("subject", name="klass_subject"),
        ]


class ClassMarking(Versioned):
    """A class takes place in a marking period."""

    klass = models.BigIntegerField()
    marking = models.BigIntegerField()

    class Meta(Versioned.Meta):
        abstract = False
        indexes = [
            *Versioned.Meta.indexes,
            models.Index("klass", name="classmarking_klass"),
        ]


class Enrolment(Correctable):
    """A student in a class, from begin to end; the end day is outside."""

    person = models.BigIntegerField()
    klass = models.BigIntegerField()
    begin = models.DateField(null=True)
    end = models.DateField(null=True)

    class Meta(Correctable.Meta):
        abstract = False
        indexes = [
            *Versioned.Meta.indexes,
            models.Index("person", name="enrolment_person"),
            models.Index("klass", name="enrolment_klass"),
        ]


class Teaching(Correctable):
    """A teacher of a class, of some teacher type, from begin to end."""

    person = models.BigIntegerField()
    klass = models.BigIntegerField()
    teacher_type = models.CharField(max_length=24)
    begin = models.DateField(null=True)
    end = models.DateField(null=True)

    class Meta(Correctable.Meta):
        abstract = False
        indexes = [
            *Versioned.Meta.indexes,
            models.Index("person", name="teaching_person"),
            models.Index("klass", name="teaching_klass"),
        ]


class EnrolmentRelease(models.Model):
    """An enrolment that a sync start date does not hold back, because somebody released it. It outlives deliveries.

    `enrolment` is the entity of the enrolment, which is the same in every version and source that says it.
    """

    institute = models.ForeignKey("store.Institute", on_delete=models.CASCADE, db_index=False, related_name="+")
    enrolment = models.BigIntegerField()
    actor = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("institute", "enrolment", name="enrolment_release")]
