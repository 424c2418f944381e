"""Deployments in sentences: what one will cost, what it costs, and that it is deployed for too long."""

from __future__ import annotations

from ftbridge.deployments.listing import DeploymentInfo
from ftbridge.provider import HostingTerms
from ftbridge.wording import dollars


def price_sentence(provider: str, price: float | None, hosting: HostingTerms, max_hours: float | None) -> str:
    """What a deployed model will cost; `price` is that of an hour, in US dollars."""
    removed = (
        f"; {provider} removes it after {hosting.removed_after_hours:g} hours" if hosting.removed_after_hours else ""
    )
    if hosting.billed_by is None:
        return f"what {provider} charges for a deployed model is not known{removed}"
    if hosting.billed_by == "token":
        return f"{provider} bills a deployed model by the token, at its base's price, and not by the hour{removed}"
    hourly = f"about {dollars(price)} for " if price is not None else "at a price that is not known, "
    limit = f"; {max_hours:g} h cost {dollars(price * max_hours)}" if price and max_hours else ""
    until = f"until `ftbridge undeploy`{removed}{limit}"
    return f"{provider} bills {hourly}every hour that a model is deployed, called or not, {until}"


def duration(hours: float) -> str:
    """A duration: hours with one decimal, below an hour minutes."""
    return f"{hours:.1f}".removesuffix(".0") + " h" if hours >= 1 else f"{hours * 60:.0f} min"


def price_words(info: DeploymentInfo) -> str:
    """The price of an hour."""
    if info.hourly_usd is None:
        return "price unknown"
    return f"{dollars(info.hourly_usd)}/h" if info.hourly_usd else "no hours billed"


def cost_words(info: DeploymentInfo) -> str:
    """The price of an hour, for how long it has been deployed, and what that comes to."""
    so_far = [f"{duration(info.hours)} so far"] if info.hours is not None else []
    cost = [dollars(info.cost_usd)] if info.cost_usd else []
    return ", ".join([price_words(info), *so_far, *cost])


def describe_ended(info: DeploymentInfo) -> str:
    """How long an ended deployment lasted, and what it has cost."""
    cost = "price unknown" if info.cost_usd is None else f"about {dollars(info.cost_usd)}" if info.cost_usd else ""
    return ", ".join(filter(None, [f"after {duration(info.hours or 0.0)}", cost]))


def state_words(info: DeploymentInfo) -> str:
    """Whether it answers requests, as far as is known."""
    if info.name is None:
        return "may be deployed"
    return f"deployed, {info.raw_status}" if info.raw_status else "served"


def too_long(info: DeploymentInfo) -> str:
    """That it is deployed longer than its `max_hours`; empty if it is not."""
    if not info.hours_over or info.hours is None:
        return ""
    over = f"{duration(info.hours_over)} over its {info.max_hours:g}"
    return f"{info.job} is deployed for {duration(info.hours)}, {over}: ftbridge undeploy {info.job}"


def describe_cost(info: DeploymentInfo) -> str:
    """That it costs money while it is deployed; empty if it is not billed by the hour, or has ended."""
    if not info.costs_by_the_hour:
        return ""
    what = info.job or f"{info.model} at {info.provider}"
    end = f": ftbridge undeploy {info.job}" if info.job else ", and no job here has made it"
    return f"{what} is {'deployed' if info.name else 'perhaps deployed'}, {cost_words(info)}{end}"
