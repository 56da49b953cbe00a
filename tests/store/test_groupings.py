"""What teams and nodes stand for is remembered under its key, however long that is."""

from __future__ import annotations

import hashlib

import polars as pl
from tests.store.world import a_school, deliver

from rollbook.store import groupings
from rollbook.store.models import Grouping


def long_id(seed: str, length: int = 600) -> str:
    """An id in which no database finds anything to compress."""
    return "".join(hashlib.sha256(f"{seed}{part}".encode()).hexdigest() for part in range(length // 64 + 1))[:length]


def test_a_path_of_nine_long_ids_is_remembered_once_renamed_and_told_from_one_that_ends_otherwise(store):
    institute, _, _ = deliver(a_school())
    above = "/".join(f"level{number}:Ελλάς-{long_id(str(number))}" for number in range(8))
    keys = [f"general/security/{above}/marking_period:{last}" for last in ("autumn", "spring")]
    paths = pl.DataFrame({"key": keys, "period": [0, 0], "sourced_id": keys, "code": keys, "label": keys})

    first = groupings.remembered(institute, Grouping.Kind.NODE, paths)
    renamed = paths.with_columns(label=pl.col("label") + " renamed")
    again = groupings.remembered(institute, Grouping.Kind.NODE, renamed)

    assert again.sort("key").equals(first.sort("key"))
    assert first["subject"].n_unique() == 2
    known = groupings.known(institute, Grouping.Kind.NODE)
    assert known["key"].to_list() == keys
    assert known["label"].to_list() == renamed["label"].to_list()
