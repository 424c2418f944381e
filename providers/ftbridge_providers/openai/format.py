"""OpenAI's training files: those of its models, and tasks for reinforcement.

Source: the guides to supervised, preference and reinforcement fine-tuning at developers.openai.com/api/docs/guides
(2026-06).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ftbridge.dataset.canonical.example import Chat, Developer, Example, Message, System, Task
from ftbridge.dataset.findings import Diagnostics
from ftbridge.graders import keys_read
from ftbridge.model import Method
from ftbridge_providers.openai_api.gpt.format import GptFormat, with_bare_tool_messages
from ftbridge_providers.shared.examples import check_function_names, without_weight
from ftbridge_providers.shared.images import ImageRules
from ftbridge_providers.shared.trained import refuse_reasoning

_CHAT_KEYS = {"messages", "tools", "parallel_tool_calls"}


class OpenAIFormat(GptFormat):
    """Chats, preferences, and tasks, whose reference has to have the keys that `grader` reads."""

    vendor: ClassVar[str] = "OpenAI"
    vision_models: ClassVar[tuple[str, ...]] = ("gpt-4o-2024-08-06",)
    image_rules: ClassVar[ImageRules] = ImageRules("OpenAI", linked=True)

    def __init__(self, target: str, model: str, method: Method, grader: Mapping[str, Any] | None = None) -> None:
        super().__init__(target, model, method)
        self.keys_read = keys_read(grader or {})

    def base_of(self, model: str) -> str:
        """TunedModel models are called `ft:BASE:…`."""
        return model.removeprefix("ft:").split(":")[0]

    def row(self, example: Example, diagnostics: Diagnostics, codes: set[str]) -> Any:
        """The row of an example; that of a task is a chat with the reference's keys beside it."""
        if type(example) is Task:
            return self._task(example, diagnostics, codes)
        return super().row(example, diagnostics, codes)

    def _task(self, task: Task, diagnostics: Diagnostics, codes: set[str]) -> dict[str, Any]:
        """The keys of the reference go beside the messages, where graders read them as `item`."""
        chat = with_bare_tool_messages(task, codes)
        check_function_names(chat, "$", self.vendor, diagnostics)
        refuse_reasoning(chat.messages, "$.messages", self.vendor, diagnostics)
        self.check_images(chat.messages, diagnostics)
        self.refuse_special_tokens(chat.messages, "$.messages", diagnostics)
        for key in sorted(task.reference.keys() & _CHAT_KEYS):
            diagnostics.error(
                f"$.reference.{key}",
                "reference_key_taken",
                f"{self.vendor} keeps a row's reference beside its messages, where '{key}' already has a meaning",
                "Rename it here and in the grader.",
            )
        for key in sorted(self.keys_read - task.reference.keys()):
            diagnostics.error(
                "$.reference",
                "reference_key_missing",
                f"the grader reads item.{key}, but the reference has no '{key}'",
                "Add it to the row, or remove it from the grader.",
            )
        codes.add("reference_beside_messages")
        messages = [without_weight(_with_developer(message, codes), codes) for message in chat.messages]
        return {**_row_of(chat, messages), **task.reference}


def _row_of(chat: Chat, messages: list[Message]) -> dict[str, Any]:
    """The keys of a chat's row that are not null."""
    keys = {"messages": messages, "tools": chat.tools, "parallel_tool_calls": chat.parallel_tool_calls}
    return {key: value for key, value in keys.items() if value is not None}


def _with_developer(message: Message, codes: set[str]) -> Message:
    """A system message as a developer's: training files for reasoning models have no system role."""
    if type(message) is not System:
        return message
    codes.add("system_role_renamed")
    return Developer(message.content, message.name, message.weight)
