"""People: who they are for life, and what the school's records say of them. Names stand in PersonRecord only."""

from __future__ import annotations

from django.db import models

from rollbook.store.models.base import Exposed
from rollbook.store.models.versioned import Correctable, Versioned


class Person(Exposed):
    """One person, one identity for life; a merge of two is explicit and can be taken back."""

    organisation = models.ForeignKey("store.Organisation", on_delete=models.CASCADE, related_name="people")
    merged_into = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="merged")


class PersonRecord(Correctable):
    """What one source says of a person; `entity` is the Person's id. Names as variants: native, and preferred."""

    active = models.BooleanField()
    given_name = models.CharField(max_length=255, null=True)
    middle_name = models.CharField(max_length=255, null=True)
    family_name = models.CharField(max_length=255, null=True)
    preferred_given_name = models.CharField(max_length=255, null=True)
    preferred_family_name = models.CharField(max_length=255, null=True)
    username = models.CharField(max_length=255, null=True)
    email = models.CharField(max_length=255, null=True)
    phone = models.CharField(max_length=255, null=True)
    sis_number = models.CharField(max_length=255, null=True)
    external_id = models.CharField(max_length=255, null=True)
    registration_end = models.DateField(null=True)

    class Meta(Correctable.Meta):
        abstract = False
        indexes = [
            *Versioned.Meta.indexes,
            models.Index("entity", name="personrecord_person"),
            models.Index("sourced_id", name="personrecord_sourced"),
        ]


class Affiliation(Versioned):
    """A person is something in an institute; several rows make several user types."""

    person = models.BigIntegerField()
    user_type = models.CharField(max_length=16)
    location = models.BigIntegerField(null=True)
    grade = models.BigIntegerField(null=True)
    department = models.BigIntegerField(null=True)
    grade_type = models.CharField(max_length=255, null=True)
    stream = models.CharField(max_length=255, null=True)

    class Meta(Versioned.Meta):
        abstract = False
        indexes = [*Versioned.Meta.indexes, models.Index("person", name="affiliation_person")]


class Guardianship(Versioned):
    """A parent of a child; both are people."""

    child = models.BigIntegerField()
    parent = models.BigIntegerField()

    class Meta(Versioned.Meta):
        abstract = False
        indexes = [
            *Versioned.Meta.indexes,
            models.Index("child", name="guardianship_child"),
            models.Index("parent", name="guardianship_parent"),
        ]
