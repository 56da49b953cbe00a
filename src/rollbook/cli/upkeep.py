"""`rollbook migrate`, `backup`, `restore` and `move-to-postgres`: looking after the installation's database."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli.console import Json, err, out, print_json
from rollbook.errors import Exit
from rollbook.words import counted

File = Annotated[Path, typer.Argument(help="The file of the backup.", show_default=False)]


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is pending. Exit status 8 if something is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the database up to this version. An SQLite file is copied beside itself first; on PostgreSQL make a backup before."""
    from rollbook.store import setup

    setup.configure()
    with setup.explained():
        found = setup.pending_migrations() if check else setup.migrate()
    if as_json:
        print_json({"pending" if check else "applied": found})
    elif not found:
        out.print("The database is of this version; nothing is pending.")
    else:
        out.print(
            f"{counted(len(found), 'migration')} {'pending' if check else 'applied'}: {', '.join(found)}", markup=False
        )
    if check and found:
        raise typer.Exit(int(Exit.STORE))


def backup(
    file: File,
    with_keys: Annotated[
        bool,
        typer.Option("--with-keys", help="Put the keys into it, too: whoever has the file can then read everything."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the database into one file, as it is now; everybody may go on meanwhile. The keys are not in it unless asked for."""
    from rollbook.store.setup import explained, open_store

    open_store()
    from rollbook.acts.backups import backup as write
    from rollbook.cli.context import actor
    from rollbook.clock import SystemClock
    from rollbook.store.archive import WITHOUT
    from rollbook.store.home import home

    with explained():
        made = write(file, actor(), SystemClock(), with_keys=with_keys)
    if as_json:
        print_json({"file": str(file), "bytes": file.stat().st_size, "keys_in": str(home()), **asdict(made)})
        return
    out.print(f"{file}: {file.stat().st_size / 1e6:,.1f} MB", style="bold", markup=False)
    if with_keys:
        out.print(
            "The keys are in it: whoever has this file can read every secret. Keep it as you would keep a password."
        )
        return
    out.print(f"The keys are not in it. They are in {home()} (or in the environment), and without them", markup=False)
    for name, loss in WITHOUT.items():
        out.print(f"  {name:<16} {loss}", markup=False)
    out.print("Keep copies of these files elsewhere than this backup.")


def restore(
    file: File,
    yes: Annotated[bool, typer.Option("--yes", help="Replace the database that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in place of the database. What was there is kept beside. Stop everything that uses it first."""
    from rollbook.store.setup import configure, explained

    configure()
    from rollbook.acts.backups import restore as put
    from rollbook.cli.context import actor
    from rollbook.clock import SystemClock
    from rollbook.store.archive import WITHOUT

    with explained():
        done = put(file, actor(), SystemClock(), agreed=yes)
    if as_json:
        kept = [str(path) for path in done.kept]
        print_json({**asdict(done.manifest), "kept": kept, "keys_missing": done.missing})
        return
    out.print(f"Restored the database of {done.manifest.made_at}.", style="bold")
    for path in done.kept:
        out.print(f"  What was there is kept as {path}", markup=False)
    for name in done.missing:
        err.print(
            f"The backup belongs to another {name} than this installation has: {WITHOUT[name]}.",
            style="red",
            markup=False,
        )
    out.print(
        "What was done at Microsoft since then is found there by its marks: look with `rollbook plan` before the next synchronization."
    )


def move_to_postgres(
    url: Annotated[
        str,
        typer.Argument(
            envvar="ROLLBOOK_MOVE_TO",
            help="postgresql://USER:PASSWORD@HOST/NAME of an empty database.",
            show_default=False,
        ),
    ],
    as_json: Json = False,
) -> None:
    """Copy the SQLite database into an empty one on PostgreSQL, all or nothing. The SQLite file stays as it is."""
    from rollbook.store.setup import explained, open_store

    open_store()
    from rollbook.acts.backups import move_to_postgres as move
    from rollbook.cli.console import stages
    from rollbook.cli.context import actor
    from rollbook.clock import SystemClock

    with explained(), stages(quiet=as_json) as shown:
        copied = move(url, actor(), SystemClock(), shown.tell)
    if as_json:
        print_json({"rows": copied})
        return
    out.print(
        f"{counted(sum(copied.values()), 'row')} of {counted(len(copied), 'table')} copied, counted and verified.",
        style="bold",
    )
    out.print(
        "Now set DATABASE_URL to the new database wherever Rollbook runs, keep the keys where they are, and look with"
    )
    out.print(
        "`rollbook doctor`. The SQLite file is no longer used: keep it until the first synchronization has been proven."
    )
