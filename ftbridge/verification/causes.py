"""The causes of differences: for each code a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ftbridge.provider.served import ServedFacts
from ftbridge.verification.findings import Cause, Code, RowVerdict


class _Words(NamedTuple):
    sentence: str
    fix: str
    note: str = ""  # the sentence where it makes no difference by itself


_TEMPLATE_FIX = "Serve it with the model's own chat template: an export has it beside the weights."
_WORDS: dict[Code, _Words] = {
    "template": _Words("The server writes the chat into another prompt than the one that was trained", _TEMPLATE_FIX),
    "bos_missing": _Words(
        "The server leaves out the token that opened each text in training",
        "Let the tokenizer add it: add_bos_token in the model's files, or the token in the template.",
    ),
    "bos_added": _Words(
        "The server puts an opening token before the prompt that was not there in training, or is there already",
        "Switch add_bos_token off, or take the token out of the template: only one of them may write it.",
    ),
    "tokenizer": _Words(
        "The server's tokenizer makes other tokens of the same prompt",
        "Serve it with the tokenizer of the trained model: tokenizer.json of the exported folder.",
    ),
    "context": _Words(
        "The server's context is too short, so that a part of the prompt is cut off, silently",
        "Serve it with a longer context.",
    ),
    "stop_tokens": _Words(
        "The server goes on where the trained answer ends: it does not stop at the trained end token",
        "Make the end token a stop token: eos_token_id in generation_config.json, or the server's setting.",
    ),
    "stops_early": _Words(
        "The server ends the answer too early, at a stop sequence of its own",
        "Remove that stop sequence from the server's settings.",
    ),
    "length_limit": _Words(
        "The server cuts the answer off at a limit of its own", "Raise the server's limit of new tokens."
    ),
    "penalties": _Words(
        "The server penalises repeated tokens, also at temperature 0",
        "Set repetition_penalty to 1 and the other penalties to 0 at the server, or in each request.",
    ),
    "sampling_defaults": _Words(
        "A request that names no temperature is answered by chance",
        "Send temperature 0 with each request, or make it the server's default.",
        "A request that names no temperature is sampled; these rows were answered alike all the same",
    ),
    "quantisation": _Words(
        "The server's weights are quantised, which changes answers",
        "Serve it unquantised, or with a quantisation of more bits, such as Q8_0, and verify again.",
        "The server's weights are quantised; the answers are the same all the same",
    ),
    "base_model": _Words(
        "The server answers as the base model does: the adapter is not loaded",
        "Load the adapter and ask for it by its name, or serve the merged model.",
    ),
    "weights": _Words(
        "The same prompt gets another answer: the server has other weights",
        "Check that it serves this job's export, and not an older one; export again and serve that.",
    ),
    "unexplained": _Words(
        "The answer is another one, and the server tells nothing of its prompt",
        "Ask a server that tells it: vLLM and llama.cpp do at --at, Ollama does at --ollama.",
    ),
    "rounding": _Words(
        "Where the answers part, both tokens are as good as equally probable, so that rounding decides",
        "Nothing needs to be done; float32 on the server's side would agree.",
        "Where the answers part, both tokens are as good as equally probable, so that rounding decides",
    ),
}


def causes_of(rows: Iterable[RowVerdict], facts: ServedFacts) -> tuple[Cause, ...]:
    """Each cause once, with its rows; the ones that make a difference first."""
    lines: dict[Code, list[int]] = {}
    details: dict[Code, str] = {}
    decisive: dict[Code, bool] = {}
    for row in rows:
        for finding in row.findings:
            lines.setdefault(finding.code, []).append(row.line)
            decisive[finding.code] = decisive.get(finding.code, False) or finding.decisive
            if finding.detail and (finding.decisive or finding.code not in details):
                details.setdefault(finding.code, finding.detail)
    causes = [
        Cause(
            code=code,
            message=_sentence(code, details.get(code, ""), decisive=decisive[code]),
            fix=facts.fixes.get(code, _WORDS[code].fix),
            decisive=decisive[code],
            lines=tuple(lines[code]),
        )
        for code in _WORDS
        if code in lines
    ]
    return tuple(sorted(causes, key=lambda cause: not cause.decisive))


def _sentence(code: Code, detail: str, *, decisive: bool) -> str:
    words = _WORDS[code]
    sentence = words.sentence if decisive or not words.note else words.note
    return f"{sentence} ({detail})." if detail else f"{sentence}."
