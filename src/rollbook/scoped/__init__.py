"""A PART OF THE SCHOOL: planned from what it depends on, and proven, at the cost of the part. `drafting` tells the story."""

from rollbook.scoped.drafting import Part, draft_part
from rollbook.scoped.ports import HOLDERS, Facts, Mirror, PartMemory, PartRegister, World
from rollbook.scoped.proving import prove_as_read, prove_part

__all__ = [
    "HOLDERS",
    "Facts",
    "Mirror",
    "Part",
    "PartMemory",
    "PartRegister",
    "World",
    "draft_part",
    "prove_as_read",
    "prove_part",
]
