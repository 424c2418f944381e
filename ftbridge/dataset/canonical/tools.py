"""The tools of a row: their names, their JSON Schemas, and the arguments of the calls held against these."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from ftbridge.dataset.canonical.example import FunctionCall, ToolDefinition
from ftbridge.dataset.canonical.schemas import Schema, read_schema
from ftbridge.dataset.findings import Diagnostics
from ftbridge.wording import json_path, printable

Declared: TypeAlias = dict[str, Schema | None]  # the schema of each tool's arguments, where it has a valid one

_MOST_SHOWN = 3  # problems of one call's arguments
_encode = msgspec.json.Encoder().encode
_arguments = msgspec.json.Decoder(dict[str, Any])


def check_tools(tools: list[ToolDefinition] | None, path: str, diagnostics: Diagnostics) -> Declared:
    """The declared tools. Their names have to differ, and their parameters to be JSON Schemas."""
    declared: Declared = {}
    for index, tool in enumerate(tools or ()):
        function, at = tool.function, f"{path}.tools[{index}].function"
        if not function.name or function.name in declared:
            name = function.name
            message = f"'{printable(name)}' is declared twice" if name else "the tool has no name"
            diagnostics.error(f"{at}.name", "tool_name", message, "Give each tool a unique name.")
        declared[function.name] = None
        if function.parameters is not None:
            schema = read_schema(_encode(function.parameters))
            for problem in schema.problems:
                below = json_path(problem.path).removeprefix("$")
                diagnostics.error(f"{at}.parameters{below}", "tool_schema", problem.message, problem.fix)
            declared[function.name] = schema
    return declared


def check_call(call: FunctionCall, declared: Declared, path: str, diagnostics: Diagnostics) -> None:
    """A call of a declared tool, with arguments that its schema allows; a tool not declared is reported once."""
    try:
        arguments = _arguments.decode(call.arguments)
    except (msgspec.MsgspecError, RecursionError):
        diagnostics.error(
            f"{path}.arguments",
            "arguments",
            f"the arguments are not a JSON object: '{printable(call.arguments)}'",
            'Write them as a string that contains an object, such as "{\\"city\\": \\"Oslo\\"}".',
        )
        return
    if call.name not in declared:
        declared[call.name] = None
        diagnostics.warning(
            f"{path}.name",
            "undeclared_tool",
            f"'{printable(call.name)}' is called, but is not among the row's tools",
            "Declare it in tools, so that the model sees what it may call.",
        )
    elif (schema := declared[call.name]) is not None:
        for below, reason in schema.broken_by(arguments, _MOST_SHOWN):
            diagnostics.warning(
                f"{path}.arguments",
                "arguments_schema",
                f"the arguments do not fit the tool's parameters, at {json_path(below)}: {printable(reason, 200)}",
                "Correct the arguments, or the parameters in tools: the model learns to call it like this.",
            )
