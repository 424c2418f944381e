"""A model's chat template, rendered in the environment that templates are written for, within bounds.

See "Chat templates" in the documentation of transformers (huggingface.co/docs/transformers/chat_templating, 2026-11).
What templates find there is what transformers 5 gives them (transformers.utils.chat_template_utils, which takes a
second to import); tests hold each rendering against transformers' own.

transformers renders in jinja2's sandbox, which keeps a template from Python's internals, and not from time and memory:
`'a' * 10**10` takes 10 GB, and two nested loops over `range(99999)` take hours. Here all that a template can compute
with (operators, filters, calls, loops, output) passes through `Bounds`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from threading import local
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes, pass_environment
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from ftbridge_local.tokenizing.bounds import Bounds, TooMuchError, materialized

_LONGEST_REASON = 300  # characters of a template's own error


class TemplateError(Exception):
    """The chat template cannot render these messages; the text is the template's own reason."""


class ChatTemplate:
    """A compiled template. Raises jinja2's errors, or Python's, where `source` is not valid."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._environment = _Environment()
        with self._environment.within(Bounds(source)):
            self._template = self._environment.from_string(source)

    def render(self, **values: Any) -> str:
        """The rendered text. Raises `TemplateError`, and `TooMuchError` for one that needs too much time or memory."""
        try:
            with self._environment.within(Bounds(values)):
                return self._template.render(**values)
        except (TooMuchError, KeyboardInterrupt):
            raise
        except Exception as problem:  # a template may raise anything
            raise TemplateError(str(problem)[:_LONGEST_REASON] or type(problem).__name__) from problem


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[_Generation, loopcontrols],
            optimized=False,  # which would compute constants before anything is counted
            finalize=_check_printed,
        )
        self._of_thread = local()
        self.filters["tojson"] = _tojson
        self.filters |= {name: self._bounded(name, function) for name, function in self.filters.items()}
        self.globals.update(raise_exception=_refuse, strftime_now=lambda form: datetime.now().strftime(form))
        self.globals.update(dict=_Dict(), namespace=_Names)
        del self.globals["lipsum"]

    @contextmanager
    def within(self, bounds: Bounds) -> Iterator[None]:
        """Within it this thread compiles and renders within the bounds."""
        self._of_thread.bounds = bounds
        try:
            yield
        finally:
            del self._of_thread.bounds

    @property
    def bounds(self) -> Bounds:
        """The bounds of this thread's rendering."""
        bounds: Bounds = self._of_thread.bounds
        return bounds

    def step(self) -> None:
        """The beginning of a round of a loop, or of a macro."""
        self.bounds.step()

    def join_texts(self, *parts: Any) -> str:
        """The operator `~`."""
        self.bounds.check_values(*parts)
        return str(self.bounds.made("".join(map(str, parts))))

    def concat(self, pieces: Iterable[str]) -> str:
        """The output of a template, a macro or a block."""
        parts, size = [], 0
        for piece in pieces:
            parts.append(piece)
            size += len(piece) + 8
            self.bounds.check(size)
        return str(self.bounds.made("".join(parts)))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator."""
        self.bounds.step()
        self.bounds.operation(operator, left, right)
        return self.bounds.made(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """A call of a method, a macro or a global function."""
        self.bounds.step()
        method = getattr(function, "__wrapped__", function)  # the sandbox wraps `format`
        owner = [method.__self__] if isinstance(getattr(method, "__self__", None), str | bytes | list) else []
        self.bounds.arguments(getattr(function, "__name__", ""), (*owner, *args, *kwargs.values()))
        return self.bounds.made(super().call(context, function, *args, **kwargs))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template: nodes.Template = _Counting(self).visit(super()._parse(source, name, filename))
        return template

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            bounds = self.bounds
            bounds.step()
            args = tuple(materialized(value, bounds) for value in args)
            bounds.arguments(name, (*(value for value in args if not _is_internal(value)), *kwargs.values()))
            return bounds.made(function(*args, **kwargs))

        return run


class _Counting(NodeTransformer):
    """Makes loops and macros count their rounds, and `~` a call, which jinja2 does not offer to intercept."""

    def __init__(self, environment: _Environment) -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - jinja2 names it for the node
        return self._counted(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802 - likewise
        return self._counted(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802 - likewise
        return self._counted(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - likewise
        self.generic_visit(node)
        return self._call("join_texts", node.nodes, node.lineno)

    def _counted(self, node: Any) -> nodes.Node:
        self.generic_visit(node)
        step = nodes.ExprStmt(self._call("step", [], node.lineno), lineno=node.lineno, environment=self._environment)
        node.body.insert(0, step)
        return node  # type: ignore[no-any-return]  # the same node

    def _call(self, name: str, args: list[nodes.Expr], line: int) -> nodes.Call:
        at: dict[str, Any] = {"lineno": line, "environment": self._environment}
        return nodes.Call(nodes.EnvironmentAttribute(name, **at), args, [], None, None, **at)


class _Generation(Extension):
    """`{% generation %}` marks answers in some templates. Answers are located without it: here it is only a scope."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> nodes.Node:
        """The marked block, as the block of a call."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_written"), [], [], body).set_lineno(line)

    def _written(self, caller: Macro) -> str:
        return str(caller())


class _Dict:
    """The global `dict`: a call, which gives templates no class."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        """As Python's."""
        return dict.fromkeys(*args)


class _Names(Namespace):
    """The global `namespace`, without names that begin with an underscore."""

    def __init__(*args: Any, **kwargs: Any) -> None:  # a template may have a name `self`
        self, *given = args
        for name in (values := dict(*given, **kwargs)):
            _check_name(name)
        Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)


@pass_environment
def _check_printed(environment: _Environment, value: Any) -> Any:
    value = materialized(value, environment.bounds)
    environment.bounds.check_values(value)
    return value


def _is_internal(value: Any) -> bool:
    return isinstance(value, jinja2.Environment | Context | nodes.EvalContext)


def _check_name(name: Any) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace has no name {name!r}")


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # jinja2's own filter escapes HTML, which would change the training data
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _refuse(reason: str) -> NoReturn:
    raise jinja2.TemplateError(reason)
