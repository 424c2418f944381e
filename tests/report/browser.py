"""A report in a real browser: what it loads, what it complains of, how wide it is, and what axe-core finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

_AXE = files("axe_playwright_python") / "axe.min.js"


class Watched:
    """A page with what went wrong on it, and what it asked the network for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))

    def violations(self) -> list[str]:
        """What axe-core finds, as rules and places."""
        self.page.evaluate(_AXE.read_text("utf-8"))
        found: Any = self.page.evaluate("axe.run()")
        return [f"{one['id']}: {node['target']}" for one in found["violations"] for node in one["nodes"]]

    def width(self) -> int:
        """Of the document, in pixels."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))


@contextmanager
def shown(browser: Browser, file: Path, *, width: int = 1280, scheme: Any = "light") -> Iterator[Watched]:
    """The file, opened in a window of that width."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    watched = Watched(context.new_page())
    watched.page.goto(file.as_uri())
    try:
        yield watched
    finally:
        context.close()
