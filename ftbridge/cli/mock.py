"""`mock`: the mocked vendors as a server."""

from __future__ import annotations

from typing import Annotated

import typer

from ftbridge.cli.output import AsJson, print_json, say, show
from ftbridge.home import find_home
from ftbridge.plugins import load_mock, mock_names, read_faults

# written out, because to ask the mocks themselves would make every command slower
FAULTS = (
    "OPERATION=KIND:SECONDSxTIMES, the last two if need be. Operations are upload_file, create_job, list_jobs, get_job,"
    " job_events, get_file_content, cancel_job, chat, list_models, others that an unknown one is answered with, and"
    " * for any. Kinds are an HTTP status such as 429, 500 or 401; 500-after, 404-after and others, when what was asked"
    " is done all the same; cut, cut-after, cut-midway, cut-upload, truncate, slow, html, invalid-json, redirect,"
    " quota; and, for good, lag, twice, unfinished, stall, fail, cancel, unknown-status."
)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(mock)


def mock(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The loopback port; 0 takes a free one.")] = 8765,
    speed: Annotated[float, typer.Option(min=0.01, help="How many times faster than the vendors.")] = 60.0,
    fault: Annotated[list[str] | None, typer.Option(help=FAULTS)] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the mocked vendors on this machine, and print the environment that leads to them."""
    kinds = {name: load_mock(name) for name in mock_names()}
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
            show(f"export {name}={value}")
        say(f"Mocked: {', '.join(kinds)}. Ctrl-C ends.")
    serve(vendors.app(), listening)
