"""DBOS behind two words: `give` a job its turn, and `take_over` what dead workers had. Nothing else of the product imports it.

One queue, partitioned by tenant: never two jobs of one tenant at once, and as many tenants at once as a worker has slots. A turn that
was cut off begins anew in whichever worker gets it; that this does nothing twice is the journal's work, not the engine's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID

from rollbook.jobs.place import SCHEMA, Place

QUEUE = "tenants"
APPLICATION = "rollbook"
VERSION = "1"
"""Turns are only taken up by the same version. It is changed only where a turn means something else, with a migration of what waits."""

POLLING = 0.5
"""Seconds between two looks at the queue."""

EMBEDDED = "embedded"
"""The only worker of an SQLite installation: what it left when it ended is taken up as soon as it begins again."""

Turn = Callable[[int, int], None]
"""Takes the turn of a job: its number, and the number of the turn. Returns when nothing more is to be done now."""


class Engine:
    """The job engine of this process; there can be one at a time."""

    def __init__(self, place: Place, name: str, slots: int, turn: Turn) -> None:
        self._place = place
        self._slots = slots
        logging.getLogger("dbos").setLevel(logging.ERROR)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_engine": place.engine,
            "dbos_system_schema": SCHEMA,
            "serializer": DBOSPortableJSONSerializer(),
            "application_version": VERSION,
            "executor_id": name if place.shared else EMBEDDED,
            "log_level": "ERROR",
            "use_listen_notify": False,
            "enable_otlp": False,
        }
        DBOS(config=config)
        self._workflow = DBOS.workflow(name="turn", max_recovery_attempts=None)(_stepped(turn))

    def start(self) -> None:
        """Begin to take jobs."""
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._slots,
            partition_concurrency=1,
            polling_interval_sec=POLLING,
            on_conflict="always_update",
        )

    def give(self, job: int, turn: int, tenant: int) -> None:
        """The turn is in the queue of its tenant; giving it again changes nothing."""
        with SetWorkflowID(name_of(job, turn)), SetEnqueueOptions(queue_partition_key=str(tenant)):
            DBOS.enqueue_workflow(QUEUE, self._workflow, job, turn)

    def take_over(self, workers: Sequence[str]) -> list[str]:
        """The turns that these dead workers had are in the queue again; which ones."""
        if not workers or not self._place.shared:
            return []
        left = DBOS.list_workflows(executor_id=list(workers), status="PENDING", queue_name=QUEUE)
        for workflow in left:
            # Without the queue's name it would land on a queue of the engine's own, where no tenant waits for its turn.
            DBOS.resume_workflow(workflow.workflow_id, queue_name=QUEUE)
        return [workflow.workflow_id for workflow in left]

    def stop(self, seconds: int) -> None:
        """Take no more jobs; what is under way has so many seconds to come to its next batch, and goes on with the next worker."""
        DBOS.destroy(workflow_completion_timeout_sec=seconds)


def name_of(job: int, turn: int) -> str:
    """How the engine calls a turn."""
    return f"job-{job}-{turn}"


def _stepped(turn: Turn) -> Callable[[int, int], None]:
    def carry_out(job: int, number: int) -> None:
        DBOS.run_step({"name": "turn"}, turn, job, number)

    carry_out.__name__ = carry_out.__qualname__ = "turn"
    return carry_out
