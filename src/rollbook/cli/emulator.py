"""`rollbook emulator`: the emulated Microsoft 365, a process of its own. The only place where the product meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rollbook.errors import InputRefused

app = typer.Typer(help="An emulated Microsoft 365 tenant on this machine.", no_args_is_help=True, rich_markup_mode=None)

OFF = "off"


@app.callback()
def emulator() -> None:
    """An emulated Microsoft 365 tenant on this machine."""


def _scale(value: str, option: str) -> float | None:
    """A number above zero, or None for "off"."""
    if value == OFF:
        return None
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if number <= 0:
        raise InputRefused(
            f"{option} {value!r} is neither a number above 0 nor 'off'.", remedy="For example: 1, 0.1, off."
        )
    return number


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8365,
    state: Annotated[Path | None, typer.Option(help="File to keep the tenant in; without it, it is forgotten.")] = None,
    quota_scale: Annotated[str, typer.Option(help="Quotas as documented times this, or 'off'.")] = "1",
    delays: Annotated[str, typer.Option(help="Microsoft's delays times this, or 'off'.")] = "1",
    speed: Annotated[float, typer.Option(min=0.01, help="How fast the emulator's clock runs.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Ids, secrets and chance follow from it.")] = 1,
    people: Annotated[int, typer.Option(min=0, help="Accounts that exist at the very start.")] = 0,
    tenants: Annotated[int, typer.Option(min=1, help="Tenants that exist at the very start.")] = 1,
    tls: Annotated[bool, typer.Option("--tls", help="Serve https, with a certificate made on the spot.")] = False,
) -> None:
    """Serve a tenant until Ctrl-C. Prints one JSON line with its addresses when it is ready."""
    from rollbook.emulator import Config, StateUnusable
    from rollbook.emulator import serve as run

    config = Config(
        port=port,
        state=state,
        quota_scale=_scale(quota_scale, "--quota-scale"),
        delays=_scale(delays, "--delays"),
        speed=speed,
        seed=seed,
        people=people,
        tenants=tenants,
        tls=tls,
    )
    try:
        run(config, lambda announcement: print(json.dumps(announcement), flush=True))
    except StateUnusable as error:
        raise InputRefused(str(error)) from error
    except OSError as error:
        raise InputRefused(
            f"The emulator cannot listen on port {port}: {error.strerror}.",
            remedy="Name another port, or 0 for a free one.",
        ) from error


@app.command()
def stop() -> None:
    """Stop the emulated tenant that `rollbook demo` started. Its state is kept."""
    from rollbook.cli import processes
    from rollbook.store.home import home

    note = home() / "emulator.json"
    known = json.loads(note.read_text(encoding="utf-8")) if note.exists() else None
    # The number of a process that ended may belong to another by now, so it has to answer as the tenant too.
    if (
        known is None
        or not processes.alive(known["pid"])
        or not processes.answers(f"{known['said']['control']}/health")
    ):
        typer.echo("No emulated tenant of this installation is running.")
        return
    processes.stop(known["pid"])
    note.unlink()
    typer.echo("The emulated tenant is stopped; its state is kept.")
