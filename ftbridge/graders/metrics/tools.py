"""Tool calls: which tools are called, and with which arguments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ftbridge.graders.grade import Grade
from ftbridge.graders.metrics.json_answers import fits
from ftbridge.graders.metrics.metric import GradedRow, Item, Metric, Sample, expected_message
from ftbridge.graders.metrics.values import fields_of, overlap, parsed

Call = tuple[str, Hashable]
"""The name of a tool, and its arguments: their fields, or the text itself where it is no JSON."""


class Tools(Metric):
    """F1 over the expected and the given calls, which are equal where name and arguments are.

    The calls of one message are made in parallel, so their order does not count. An answer passes where all calls are
    the expected ones; where none is expected, an answer without calls does.
    """

    name: ClassVar[str] = "tools"

    def grade(self, item: Item, sample: Sample) -> Grade:
        """The grade of one answer; `details` are names_equal, arguments_equal, schema_valid, missing and extra."""
        expected, given = calls_of(expected_message(item).get("tool_calls")), calls_of(sample["output_tools"])
        names, given_names = _names(expected), _names(given)
        equal = expected == given
        details = {
            "names_equal": names == given_names,
            "arguments_equal": equal,
            "missing": sorted((names - given_names).elements()),
            "extra": sorted((given_names - names).elements()),
        }
        if (valid := _schema_valid(sample["output_tools"], item.get("tools") or ())) is not None:
            details["schema_valid"] = valid
        return Grade(score=overlap(expected, given)["f1"], passed=equal, details=details)

    def summarise(self, rows: Sequence[GradedRow]) -> dict[str, Any]:
        """The shares of answers with the expected names, with the expected arguments too, and with valid arguments."""
        details = [row.grade.details for row in rows if not row.grade.error]
        names = ("names_equal", "arguments_equal", "schema_valid")
        by_name = {name: [of[name] for of in details if name in of] for name in names}
        return {name: sum(values) / len(values) for name, values in by_name.items() if values}


def calls_of(tool_calls: Iterable[Mapping[str, Any]] | None) -> Counter[Call]:
    """Calls that can be compared, in no order."""
    return Counter(_call(call) for call in tool_calls or ())


def _call(call: Mapping[str, Any]) -> Call:
    function = call["function"]
    try:
        return function["name"], frozenset(fields_of(_arguments(function)).items())
    except ValueError:
        return function["name"], function["arguments"]


def _arguments(function: Mapping[str, Any]) -> Any:
    arguments = function.get("arguments") or "{}"  # some services leave out what is empty
    return parsed(arguments) if isinstance(arguments, str) else arguments


def _names(calls: Counter[Call]) -> Counter[str]:
    return Counter(name for name, _ in calls.elements())


def _schema_valid(calls: Iterable[Mapping[str, Any]], tools: Iterable[Mapping[str, Any]]) -> bool | None:
    """Whether each call is of a known tool and its arguments are as that has them; `None` where no tools are known."""
    schemas = {tool["function"]["name"]: tool["function"].get("parameters") for tool in tools}
    return all(_fits(call["function"], schemas) for call in calls) if schemas else None


def _fits(function: Mapping[str, Any], schemas: Mapping[str, Any]) -> bool:
    if function["name"] not in schemas:
        return False
    try:
        arguments = _arguments(function)
    except ValueError:
        return False
    schema = schemas[function["name"]]
    return schema is None or fits(schema, arguments) is not False
