"""Which keys of a row mean nothing for training: what identifies the row, says where it is from, or sorts it.

One rule for all formats: such a key is left out and counted, any other that a format does not have is refused, since
it may say how the row is meant. Names as in datasets that are published: Tulu 3, UltraChat, smoltalk, OpenHermes,
WildChat, LMSYS-Chat, OpenAssistant, no_robots; read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping

UNUSED = "unused"
"""The name that `--map` gives to columns that are to be left out."""

_IDENTIFIERS = (
    *("id", "_id", "ID", "Id", "idx", "index", "__index_level_0__", "uid", "uuid", "guid", "hash"),
    *("row_id", "example_id", "sample_id", "question_id", "prompt_id", "answer_id", "custom_id", "instruction_id"),
    *("conversation_id", "conversation_hash", "dialog_id", "dialogue_id", "chat_id", "session_id", "thread_id"),
    *("message_id", "parent_id", "turn_id", "turn_identifier", "message_tree_id", "user_id", "hashed_ip", "doc_id"),
)
_PROVENANCE = (
    *("source", "Source", "sources", "source_id", "data_source", "source_dataset", "datasource"),
    *("dataset", "dataset_name", "dataset_id", "origin", "subset", "split", "url", "urls", "dump", "license"),
    *("file_path", "filename", "file_name"),
    *("author", "annotator", "annotator_id", "country", "model", "model_name", "generator", "generation_model"),
    *("created", "created_at", "create_time", "created_date", "updated_at", "date", "timestamp", "added", "version"),
    *("metadata", "meta", "chosen_model", "rejected_model", "redacted"),
)
_SORTING = (
    *("category", "categories", "subcategory", "topic", "topics", "tag", "tags", "domain", "difficulty"),
    *("task_type", "task_name", "language", "lang", "language_score", "lang_score", "num_turns", "n_turns", "turn"),
    *("num_tokens", "token_count", "n_tokens", "length"),
)
_NUMBERED = ("", "Unnamed: 0")  # where pandas has written the numbers of the rows into a table
_ORIGINS, _LONGEST_ORIGIN = ("source", "Source", "origin"), 200  # a longer text may be what the row is about
_FLAGS = ("skip_prompt_formatting", "toxic", "flagged", "deleted")  # which say something where they are true
_OF_A_VISITOR = ("state", "header")  # of WildChat: the region and the browser
_WITHOUT_MEANING = frozenset({UNUSED, *_IDENTIFIERS, *_PROVENANCE, *_SORTING})


def without_meaning(row: Mapping[str, object]) -> list[str]:
    """The keys of a row, or of a message, that can be left out, since they do not say how it is meant."""
    return [key for key, value in row.items() if _is_aside(key, value) or _says_nothing(key, value, row)]


def _is_aside(key: str, value: object) -> bool:
    is_passage = key in _ORIGINS and isinstance(value, str) and len(value) > _LONGEST_ORIGIN
    return key in _WITHOUT_MEANING and not is_passage


def _says_nothing(key: str, value: object, row: Mapping[str, object]) -> bool:
    if key in _NUMBERED:
        return str(value).isdecimal()
    return (key in _FLAGS and value is False) or (key in _OF_A_VISITOR and "hashed_ip" in row)
