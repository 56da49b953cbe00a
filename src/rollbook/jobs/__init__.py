"""Who carries out which job, and that it goes on when whoever did it dies: the adapter to the job engine (docs/decisions/0013-jobs.md).

The engine is told a job's number and turn and nothing else. What has to be done, and what is done already, our store alone knows.
"""

from rollbook.jobs.engine import Engine, Turn
from rollbook.jobs.place import Place, place_of

__all__ = ["Engine", "Place", "Turn", "place_of"]
