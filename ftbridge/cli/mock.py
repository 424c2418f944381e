"""`mock`: the mocked vendors as a server."""

from __future__ import annotations

from typing import Annotated

import typer

from ftbridge.cli.output import AsJson, print_json, print_line, print_message
from ftbridge.home import find_home
from ftbridge.plugins import FASTEST, SLOWEST, read_faults, usable_mocks

# written out, because loading the mocks to list them would make every command slower
FAULTS = (
    "OPERATION=KIND:SECONDSxTIMES; seconds and times are optional. Operations: upload_file, create_job, list_jobs,"
    " get_job, job_events, get_file_content, cancel_job, chat, list_models, some of single vendors (the error for an"
    " unknown one lists them), and * for any. Kinds are an HTTP error status: 400 to 404, 408 to 410, 413, 422, 429,"
    " 500 to 504; 500-after, 404-after and others, which do the operation and then answer with the status; cut,"
    " cut-after, cut-midway, cut-upload, truncate, slow, html, hostile, invalid-json, redirect, quota; and, until the"
    " mock ends, lag, twice, unfinished, stall, fail, cancel, unknown-status, echo."
)


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(mock)


def mock(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The loopback port; 0 is any free one.")] = 8765,
    speed: Annotated[
        float, typer.Option(min=SLOWEST, max=FASTEST, help="The factor by which the mocks are faster than the vendors.")
    ] = 60.0,
    fault: Annotated[list[str] | None, typer.Option(help=FAULTS)] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the mocked vendors on this machine, and print the environment variables that select them."""
    kinds = usable_mocks(lambda warning: print_message(f"note: {warning}", style="yellow"))
    from ftbridge.loopback import listen, serve
    from ftbridge.mock import MockVendors

    faults = read_faults(fault or [])
    vendors = MockVendors(kinds, find_home() / "mock", speed=speed, faults=faults)
    listening = listen(port)
    port = listening.getsockname()[1]
    environment = vendors.environment(f"http://127.0.0.1:{port}")
    if as_json:
        print_json({"port": port, "environment": environment})
    else:
        for name, value in environment.items():
            print_line(f"export {name}={value}")
        print_message(f"Mocked: {', '.join(kinds)}. Ctrl-C stops them.")
    serve(vendors.app(), listening)
