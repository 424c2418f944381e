"""Which cells of the table of families are not run, and why."""

from __future__ import annotations

NO_REASONING = {"reasoning": "leaves_out"}
UNDECLARED = {"declared": "leaves_out", "tools": "leaves_out"}
NO_CALLS = {"calls": "leaves_out", **UNDECLARED}
ALTERNATING = {**NO_CALLS, "tools": "refuses", **NO_REASONING}
NO_FILE = {"gguf": "refused"}
NO_OLLAMA_TOOLS = {"ollama": "no tools"}
EXPECTED: dict[str, dict[str, str]] = {
    "Llama 2": {**ALTERNATING, **NO_FILE},
    "Llama 3": NO_REASONING,
    "Llama 3.1": NO_REASONING,
    "Llama 3.2": NO_REASONING,
    "Llama 4": {**NO_REASONING, **NO_FILE},
    "Qwen 2.5": NO_REASONING,
    "Qwen 3.5": {**NO_OLLAMA_TOOLS, **NO_FILE},
    "Qwen 3 MoE": NO_FILE,
    "Mistral v3": {**NO_REASONING, **NO_FILE},
    "Mistral tekken": NO_REASONING,
    "Mixtral": {"system": "refuses", **ALTERNATING, **NO_FILE},
    "Gemma 2": {**ALTERNATING, **NO_FILE},
    "Gemma 3": {**ALTERNATING, **NO_FILE},
    "Gemma 4": {**NO_REASONING, **NO_OLLAMA_TOOLS, **NO_FILE},
    "Phi 3": {**NO_CALLS, **NO_REASONING, **NO_FILE},
    "Phi 4": {**NO_CALLS, **NO_REASONING, **NO_FILE},
    "DeepSeek V3": {**UNDECLARED, **NO_REASONING, **NO_FILE},
    "R1 distill": UNDECLARED,
    "SmolLM": {**NO_CALLS, **NO_REASONING},
    "GLM": {**NO_OLLAMA_TOOLS, **NO_FILE},
    "Falcon": {**ALTERNATING, **NO_FILE},
    "Command R": {**ALTERNATING, **NO_FILE},
    "gpt-oss": {**NO_OLLAMA_TOOLS, **NO_FILE},
}
"""The cells that are not run, everything else is: what the family's template leaves out or refuses, calls of tools that
no template of Ollama's can write, and architectures or tokenizers that llama.cpp's own converter has to write."""
