"""The commands, gathered; and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import sys
import traceback

import typer

from rollbook import __version__
from rollbook.cli import (
    accounts,
    apply,
    approve,
    check,
    connection,
    corporate,
    demo,
    doctor,
    emulator,
    enrolment,
    explain,
    freeze,
    grade_levels,
    held,
    importing,
    link,
    mapping,
    match,
    notices,
    passwords,
    person,
    plan,
    profile,
    proof,
    protect,
    prune,
    queue,
    rollover,
    sample,
    serve,
    show,
    structure,
    sync,
    trail,
    undo,
    upkeep,
    worker,
)
from rollbook.cli.console import complain
from rollbook.errors import Exit, RollbookError

app = typer.Typer(
    name="rollbook",
    help="Keep a school's Microsoft 365 in step with its register.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("sample")(sample.sample)
app.command("import")(importing.import_)
app.command("plan")(plan.plan)
app.command("show")(show.show)
app.command("approve")(approve.approve)
app.command("refuse")(approve.refuse)
app.command("apply")(apply.apply)
app.command("sync")(sync.sync)
app.command("connection")(connection.connection)
app.command("explain")(explain.explain)
app.command("trail")(trail.trail)
app.command("undo")(undo.undo)
app.command("proof")(proof.proof)
app.command("freeze")(freeze.freeze)
app.command("thaw")(freeze.thaw)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.add_typer(queue.app, name="queue")
app.command("tree")(structure.tree)
app.command("teams")(structure.teams)
app.command("doctor")(doctor.doctor)
app.command("prune")(prune.prune)
app.command("migrate")(upkeep.migrate)
app.command("backup")(upkeep.backup)
app.command("restore")(upkeep.restore)
app.command("move-to-postgres")(upkeep.move_to_postgres)
app.command("held")(held.held)
app.command("release")(held.release)
app.add_typer(accounts.app, name="accounts")
app.add_typer(link.app, name="link")
app.add_typer(mapping.app, name="mapping")
app.add_typer(passwords.app, name="passwords")
app.add_typer(match.app, name="match")
app.add_typer(notices.app, name="notices")
app.add_typer(profile.app, name="profile")
app.add_typer(person.app, name="person")
app.add_typer(enrolment.app, name="enrolment")
app.add_typer(grade_levels.app, name="grade-levels")
app.add_typer(protect.app, name="protect")
app.add_typer(rollover.app, name="rollover")
app.add_typer(corporate.app, name="corporate")
app.add_typer(emulator.app, name="emulator")


def main() -> None:
    """Run the command line; a Rollbook error ends it with its sentence and its exit code (docs/exit-codes.md)."""
    try:
        app()
    except RollbookError as error:
        complain(error)
        sys.exit(int(error.exit_code))
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough (`rollbook plan | head`); there is nobody left to tell.
        sys.stderr.close()
        sys.exit(int(Exit.OK))
    except Exception:
        # Python itself would end with 1, which means something else here.
        traceback.print_exc()
        typer.echo("rollbook: this is a defect of Rollbook; please report it with the lines above.", err=True)
        sys.exit(int(Exit.DEFECT))
