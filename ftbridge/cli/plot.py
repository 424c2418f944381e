"""The plot of `compare`: cost over months, and over requests per month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.catalogue import today
from ftbridge.cli.figures import new_figure, save
from ftbridge.comparison.offers import DAYS_A_MONTH
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.comparison.offers import Offer
    from ftbridge.costs.quote import Load

_POINTS = 60
_MARKS = "osD^vP*X"


def draw(offers: Sequence[Offer], load: Load, file: Path) -> None:
    """Plot the targets of known cost into `file`, SVG or PNG by its extension; the others are named.

    Raises `MissingExtra` without matplotlib.
    """
    figure = new_figure(file, (11, 5.2))
    drawn = [offer for offer in offers if _is_known(offer)]
    left_out = [offer.target for offer in offers if not _is_known(offer)]
    times = _steps(max(12.0, 2 * load.months))
    amounts = _steps(max(1000.0, 2 * load.requests_per_month))
    over_time, over_volume = figure.subplots(1, 2)
    for index, offer in enumerate(drawn):
        style: dict[str, Any] = {"label": offer.target, "marker": _MARKS[index % len(_MARKS)], "markevery": 15}
        _draw_one(over_time, over_volume, offer, load, (times, amounts), style)
    for axes, name in ((over_time, "months"), (over_volume, "requests per month")):
        axes.set(xlabel=name, ylabel="total in US dollars", xlim=(0, None))
        axes.grid(alpha=0.3)
        if drawn and all(_total(offer, 0, 0) > 0 for offer in drawn):
            axes.set_yscale("log")  # vendors differ by orders of magnitude
            axes.yaxis.set_major_formatter("{x:,g}")
        axes.xaxis.set_major_formatter("{x:,g}")
    over_time.set_title(f"with {load.requests_per_month:,.0f} requests per month")
    months = counted(load.months or 1, "month")
    over_volume.set_title(f"over {months}, {load.tokens_in:g} tokens in and {load.tokens_out:g} out")
    if left_out:
        figure.supxlabel(f"not plotted, because their cost is unknown: {', '.join(left_out)}", fontsize="small")
    if drawn:
        figure.legend(*over_time.get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize="small")
    save(figure, file)


def _draw_one(
    over_time: Any, over_volume: Any, offer: Offer, load: Load, steps: tuple[list[float], list[float]], style: Any
) -> None:
    """The two lines of one target, which end when its tuned models do."""
    times, amounts = steps
    lived = [time for time in times if time <= _months_left(offer)]
    over_time.plot(lived, [_total(offer, time, load.requests_per_month) for time in lived], **style)
    if len(lived) < len(times):
        over_time.plot(lived[-1:], [_total(offer, lived[-1], load.requests_per_month)], marker="x", color="black")
    months = load.months or 1
    if months <= _months_left(offer):
        over_volume.plot(amounts, [_total(offer, months, amount) for amount in amounts], **style)


def _months_left(offer: Offer) -> float:
    """The number of months until tuned models end there; infinite where no end is known."""
    if offer.answers_until is None:
        return math.inf
    return max(0.0, (offer.answers_until - today()).days / DAYS_A_MONTH)


def _steps(most: float) -> list[float]:
    return [most * step / _POINTS for step in range(_POINTS + 1)]


def _is_known(offer: Offer) -> bool:
    return None not in (offer.training_usd, offer.monthly_usd, offer.request_usd)


def _total(offer: Offer, months: float, requests: float) -> float:
    each_month = (offer.monthly_usd or 0.0) + requests * (offer.request_usd or 0.0)
    return (offer.training_usd or 0.0) + months * each_month
