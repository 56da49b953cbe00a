"""A SCHOOL TO TRY WITH: seeded people, structure and enrolments of any size, written as OneRoster. Everybody is invented."""

from rollbook.sample.school import SampleSchool, school
from rollbook.sample.writing import write

__all__ = ["SampleSchool", "school", "write"]
