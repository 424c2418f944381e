"""`compare`: the cost of training on a dataset at several targets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from ftbridge.catalogue import SOON, today
from ftbridge.cli.dataset_options import Columns, Data, Format
from ftbridge.cli.output import (
    AsJson,
    console,
    narrow,
    open_bridge,
    print_csv,
    print_json,
    print_line,
    print_message,
    print_note,
    table,
)
from ftbridge.cli.submit import hyperparameter_options, with_options
from ftbridge.dataset.data_file import parse_columns
from ftbridge.errors import UsageError
from ftbridge.wording import broken_rule, counted

if TYPE_CHECKING:
    from ftbridge.comparison.offers import Offer


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(with_options(compare, hyperparameter_options()))


def compare(
    data: Data,
    to: Annotated[list[str], typer.Option("--to", help="A target; can be repeated, or several with commas between.")],
    validation: Annotated[
        str | None, typer.Option(help="A file of examples for the validation loss, which are not trained on.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="sft or dpo; default: the method that fits the examples.")] = None,
    months: Annotated[
        float,
        typer.Option(min=0, metavar="N", help="The months for which the model is stored, and hosted where that costs."),
    ] = 1.0,
    requests_per_month: Annotated[
        float, typer.Option(min=0, metavar="N", help="The requests per month to the tuned model.")
    ] = 0,
    tokens_in: Annotated[float, typer.Option(min=0, metavar="N", help="The tokens of a prompt.")] = 500,
    tokens_out: Annotated[float, typer.Option(min=0, metavar="N", help="The tokens of a reply.")] = 200,
    machine_cost_per_hour: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="The cost of this machine, in US dollars per hour."),
    ] = None,
    electricity_price: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="The price of electricity here, in US dollars per kWh."),
    ] = None,
    watts: Annotated[
        float | None, typer.Option(min=1, metavar="W", help="The power draw of this machine, in watts.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the vendors for current dates and limits.")] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Train a few rows on this machine to measure its speed.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Plot the cost over months and requests into this file, .svg or .png.")
    ] = None,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: AsJson = False,
    **hyperparameters: Any,
) -> None:
    """Compare the cost of training on a dataset at several targets, cheapest first. No data leaves this machine."""
    from ftbridge.comparison.offers import Machine
    from ftbridge.costs.quote import Load

    try:
        load = Load(months=months, requests_per_month=requests_per_month, tokens_in=tokens_in, tokens_out=tokens_out)
        machine = Machine(hourly_usd=machine_cost_per_hour, kwh_usd=electricity_price, watts=watts)
    except ValidationError as problem:
        first = problem.errors()[0]
        what = f"{first['loc'][0]} = {first['input']:g} cannot be used: {broken_rule(first)}"
        raise UsageError(what, hint="Give another number.") from None
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", hint="Give one of the two.")
    offers = open_bridge().compare(
        data,
        to,
        validation=validation,
        method=method,
        load=load,
        machine=machine,
        live=live,
        measure=measure,
        format=format,
        map=parse_columns(map or ()),
        **{name: value for name, value in hyperparameters.items() if value is not None},
    )
    if plot:
        from ftbridge.cli.plot import draw

        draw(offers, load, plot)
    if as_json:
        print_json({"rows": [offer.model_dump(mode="json") for offer in offers], "load": load.model_dump()})
    elif as_csv:
        _print_csv(offers)
    else:
        _print_offers(offers, months=load.months)
        if plot:
            print_message(f"The plot is in {plot}.")


def _print_csv(offers: list[Offer]) -> None:
    """One line per target."""
    rows = [offer.model_dump(mode="json") for offer in offers]
    for row in rows:
        row["changed"] = " ".join(f"{code}={count}" for code, count in row["changed"].items())
        row |= {name: "; ".join(row[name]) for name in ("unsupported", "blocking", "warnings")}
    print_csv(list(rows[0]), rows)


def _print_offers(offers: list[Offer], *, months: float) -> None:
    """A table, and below it the notes on each target; on a narrow terminal also the columns that do not fit."""
    columns: dict[str, Callable[[Offer], str]] = {
        "target": lambda offer: offer.target,
        "tokens": _tokens,
        "epochs": lambda offer: f"{offer.epochs or '?'}",
        "train $": _training,
        "month $": _each_month,
        "total $": lambda offer: _total(offer, months),
        "time": lambda offer: _time(offer.seconds),
        "ends": _ends,
    }
    if narrow():
        columns = {name: cell for name, cell in columns.items() if name not in ("tokens", "epochs", "time")}
        columns["train $"] = lambda offer: _dollars(offer.training_usd)
    rows = [[cell(offer) for cell in columns.values()] for offer in offers]
    right = [index for index, name in enumerate(columns) if name not in ("target", "ends")]
    console().print(table([*columns], rows, right=right, fold=0))
    hosting = f" and {counted(months, 'month')} of storage, hosting and requests" if months else " only"
    print_note(f"The total is for training{hosting}; --months sets the number of months.", indent="")
    if any(_is_marked(offer) for offer in offers):
        print_note("! ends within 90 days or before these months are over, or is not open to all accounts", indent="")
    if any(_falls_short(offer) for offer in offers):
        print_note("* not available for all of these months, and therefore listed after the others", indent="")
    for offer in offers:
        print_line(offer.target, style="bold" if offer.usable else "dim")
        others = offer.warnings[len(offer.blocking) :]
        for note in (*([_aside(offer)] if narrow() else []), *_obstacles(offer), *others):
            print_note(note)


def _aside(offer: Offer) -> str:
    """The columns for which the table has no room."""
    parts = [f"{_tokens(offer)} tokens"]
    parts += [counted(offer.epochs, "epoch")] if offer.epochs else []
    parts += [_time(offer.seconds)] if offer.seconds else []
    return ", ".join(parts)


def _tokens(offer: Offer) -> str:
    if offer.problem:
        return "?"
    return _short(offer.tokens) + (
        f" ±{offer.tokens_relative_error:.0%}" if offer.tokens_relative_error >= 0.005 else ""
    )


def _ends(offer: Offer) -> str:
    if offer.problem:
        return "not known"
    if not offer.open:
        return f"closed {offer.closes_on}"
    for name in offer.unsupported:
        if name.startswith("method "):
            return f"no {name.removeprefix('method ')}"
    if not offer.usable:
        return "accepts none of the rows"
    return f"{offer.closes_on or '–'}" + " !" * _is_marked(offer)


def _is_marked(offer: Offer) -> bool:
    """Whether it can be used, but not for long, not for all the months, or not by all accounts."""
    ends_soon = offer.closes_on is not None and offer.closes_on <= today() + SOON
    return offer.usable and (ends_soon or not offer.covers_months or offer.only_from is not None)


def _falls_short(offer: Offer) -> bool:
    return offer.usable and not offer.covers_months and offer.partial_total_usd > 0


def _short(count: float) -> str:
    for unit, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{word}"
    return f"{count:.0f}"


def _training(offer: Offer) -> str:
    high = offer.training_usd_high
    more = f" ≤{_dollars(high)}" if high is not None and _dollars(high) != _dollars(offer.training_usd) else ""
    return _dollars(offer.training_usd) + more


def _each_month(offer: Offer) -> str:
    known = (offer.monthly_usd, offer.inference_usd)
    return _dollars(None if None in known else sum(part or 0.0 for part in known))


def _total(offer: Offer, months: float) -> str:
    short = "*" * _falls_short(offer)
    if offer.total_usd is None and offer.partial_total_usd and months:
        return f">{_dollars(offer.partial_total_usd)}{short}"
    return _dollars(offer.total_usd) + short


def _dollars(price: float | None) -> str:
    if price is None:
        return "?"
    return f"{price:,.0f}" if price >= 1000 else f"{price:.2f}" if price >= 0.01 or price == 0 else "<0.01"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 1 else "< 1 s"
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def _obstacles(offer: Offer) -> list[str]:
    """What may prevent the job at the target, or changes the rows; all of it is shown."""
    obstacles = []
    if offer.unsupported:
        obstacles.append(f"not supported: {', '.join(offer.unsupported)}")
    if offer.impossible:
        obstacles.append(f"{offer.impossible} of {offer.examined} rows cannot be converted: `ftbridge check` lists all")
    if offer.changed:
        changes = ", ".join(f"{code} in {count}" for code, count in offer.changed.items())
        obstacles.append(f"conversion changes, of {offer.examined} rows: {changes}")
    return [*obstacles, *offer.blocking]
