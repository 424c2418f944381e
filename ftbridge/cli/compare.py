"""`compare`: what a dataset would cost at several targets."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.catalogue import SOON, today
from ftbridge.cli.output import AsJson, console, narrow, open_bridge, print_json, say, show, show_note, table
from ftbridge.cli.submit import hyperparameter_options, with_options
from ftbridge.errors import UsageError
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.comparison.offers import Offer

_SHOWN = 3  # notes on a target's figures; --json has all
_PLACES = 6  # of figures in CSV: what is beyond is the noise of adding in binary


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(with_options(compare, hyperparameter_options()))


def compare(
    data: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    to: Annotated[list[str], typer.Option("--to", help="A target; give it as often as needed.")],
    validation: Annotated[str | None, typer.Option(help="Examples to measure the loss on, not trained.")] = None,
    method: Annotated[str | None, typer.Option(help="sft or dpo; default: what the examples are made for.")] = None,
    months: Annotated[
        float, typer.Option(min=0, help="Months for which the model is kept, and hosted where that costs.")
    ] = 1.0,
    requests_per_month: Annotated[float, typer.Option(min=0, help="Requests to the tuned model.")] = 0,
    tokens_in: Annotated[float, typer.Option(min=0, help="Tokens of a prompt.")] = 500,
    tokens_out: Annotated[float, typer.Option(min=0, help="Tokens of a reply.")] = 200,
    hourly: Annotated[float | None, typer.Option(min=0, help="US dollars for an hour of this machine.")] = None,
    watt_price: Annotated[float | None, typer.Option(min=0, help="US dollars for a kilowatt-hour here.")] = None,
    watts: Annotated[float | None, typer.Option(min=1, help="What this machine draws.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the vendors for today's dates and limits.")] = False,
    measure: Annotated[bool, typer.Option("--measure", help="Train a few rows here, to know the speed.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw cost against months and volume: FILE.svg or .png.")] = None,
    format: Annotated[str | None, typer.Option(help="Read the dataset as this format.")] = None,  # noqa: A002 - the option's name
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: AsJson = False,
    **hyperparameters: Any,
) -> None:
    """What training on a dataset costs at several targets, cheapest first; nothing is sent anywhere."""
    from ftbridge.comparison.offers import Machine
    from ftbridge.costs.quote import Load

    load = Load(
        months=months,
        requests_per_month=requests_per_month,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
    )
    if as_csv and as_json:
        raise UsageError("--csv and --json both say how the offers are printed", hint="Give one of the two.")
    if data == "-":
        raise UsageError("compare reads its data more than once", hint="Give it a file.")
    offers = open_bridge().compare(
        data,
        to,
        validation=validation,
        method=method,
        load=load,
        machine=Machine(hourly_usd=hourly, kwh_usd=watt_price, watts=watts),
        live=live,
        measure=measure,
        format=format,
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
            say(f"The picture is in {plot}.")


def _print_csv(offers: list[Offer]) -> None:
    """One line a target; what is unknown is empty, and figures have six places at most."""
    rows = [offer.model_dump(mode="json") for offer in offers]
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]))
    writer.writeheader()
    for row in rows:
        row["changed"] = " ".join(f"{code}={count}" for code, count in row["changed"].items())
        row |= {name: "; ".join(row[name]) for name in ("unsupported", "blocking", "warnings")}
        row |= {name: round(value, _PLACES) for name, value in row.items() if isinstance(value, float)}
        writer.writerow(row)


def _print_offers(offers: list[Offer], *, months: float) -> None:
    """A table, and below it what has to be known of each; where there is little room, its smaller figures too."""
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
    right = [place for place, name in enumerate(columns) if name not in ("target", "ends")]
    console().print(table([*columns], rows, right=right, fold=0))
    follows = f"and {counted(months, 'month')} of what follows it" if months else "alone"
    show(f"Totals are of training {follows}; --months says how many.")
    if any(_is_marked(offer) for offer in offers):
        show("! ends within 90 days or before those months do, or is not for everybody")
    if any(_falls_short(offer) for offer in offers):
        show("* not to be had for all of those months, and so listed after what is")
    for offer in offers:
        show(offer.target, style="bold" if offer.usable else "dim")
        others = offer.warnings[len(offer.blocking) :]
        for note in (*([_aside(offer)] if narrow() else []), *_decisive(offer), *others[:_SHOWN]):
            show_note(note)
        if len(others) > _SHOWN:
            show_note(f"and {len(others) - _SHOWN} more on its figures: --json")


def _aside(offer: Offer) -> str:
    """The figures that the table has no room for."""
    said = [f"{_tokens(offer)} tokens"]
    said += [counted(offer.epochs, "epoch")] if offer.epochs else []
    said += [_time(offer.seconds)] if offer.seconds else []
    return ", ".join(said)


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
            return f"takes no {name.removeprefix('method ')}"
    if not offer.usable:
        return "takes none of the rows"
    return f"{offer.closes_on or '–'}" + " !" * _is_marked(offer)


def _is_marked(offer: Offer) -> bool:
    """Whether it can be used, but not for long, not for all the months, or not by everybody."""
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


def _decisive(offer: Offer) -> list[str]:
    """What may forbid the target, or changes the rows; all of it is shown."""
    said = []
    if offer.unsupported:
        said.append(f"does not take: {', '.join(offer.unsupported)}")
    if offer.impossible:
        said.append(f"{offer.impossible} of {offer.examined} rows have no form there: `ftbridge check` lists all")
    if offer.changed:
        changes = ", ".join(f"{code} in {count}" for code, count in offer.changed.items())
        said.append(f"conversion changes, of {offer.examined} rows: {changes}")
    return [*said, *offer.blocking]
