"""The documentation: a Markdown file for each topic, and an explanation of each code of findings and errors."""

from ftbridge.docs.codes import Explanation, explanations
from ftbridge.docs.topics import TOPIC_OF_COMMAND, TOPICS, summary, topic

__all__ = ["TOPICS", "TOPIC_OF_COMMAND", "Explanation", "explanations", "summary", "topic"]
