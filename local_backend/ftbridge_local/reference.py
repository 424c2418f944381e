"""What a model on this machine reads and answers, token by token, for others to be held against."""

from __future__ import annotations

from collections.abc import Sequence

from ftbridge.dataset.canonical.example import Chat
from ftbridge.provider.served import Answer, Prompt, Reference, ReferenceRow, Token
from ftbridge_local.generation import Generator, Step
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.tokenizing.writing import prompt


def reference(generator: Generator, chats: Sequence[Chat], max_tokens: int) -> Reference:
    """The prompts and greedy answers. Raises `DataError` for a chat that the model's template does not accept."""
    tokenizer = generator.tokenizer
    return Reference(
        rows=tuple(_row(generator, chat, max_tokens) for chat in chats),
        bos=tokenizer.bos if tokenizer.bos_ids else "",
        ends=tuple(map(tokenizer.text_of, tokenizer.end_ids)),
        encode=lambda text: encoded(tokenizer, text),
    )


def prompt_of(generator: Generator, chat: Chat) -> Prompt:
    """What the model reads for a chat."""
    ids = generator.prompt(chat)
    return Prompt(text=prompt(chat, generator.tokenizer), ids=tuple(ids), count=len(ids))


def answer_of(generator: Generator, ids: Sequence[int], max_tokens: int) -> Answer:
    """What the model writes after a prompt, greedily."""
    return as_answer(generator.tokenizer, ids, generator.greedy(ids, max_tokens))


def as_answer(tokenizer: Tokenizer, asked: Sequence[int], steps: Sequence[Step]) -> Answer:
    """The steps up to the token that ends the answer."""
    end = next((index for index, step in enumerate(steps) if step.token in tokenizer.end_ids), None)
    written = steps[:end]
    ids = [step.token for step in written]
    _reasoning, text = tokenizer.read_answer(ids, opened=tokenizer.opens_reasoning(asked))
    tokens = tokens_of(tokenizer, ids)
    return Answer(
        text=text,
        whole=tokenizer.decode(ids, special=True),
        tokens=tuple(
            token.model_copy(update={"logprob": step.logprobs.get(step.token), "alternatives": step.logprobs})
            for token, step in zip(tokens, written, strict=True)
        ),
        ended=end is not None,
        prompt_count=len(asked),
    )


def encoded(tokenizer: Tokenizer, text: str) -> tuple[Token, ...]:
    """The tokens of a text, each with what it adds to it: of the tokens of one character, the first one has it."""
    tokens, done = list[Token](), 0
    for token, (start, end) in zip(*tokenizer.encode(text), strict=True):
        tokens.append(Token(id=token, text=text[max(start, done) : end]))
        done = max(done, end)
    return tuple(tokens)


def tokens_of(tokenizer: Tokenizer, ids: Sequence[int]) -> tuple[Token, ...]:
    """Each token with what it adds to the text: of the tokens of one character, the last one has it."""
    tokens, done = list[Token](), ""
    for index, token in enumerate(ids):
        text = tokenizer.decode(ids[: index + 1], special=True)
        added = "" if text.endswith("\ufffd") and index + 1 < len(ids) else text[len(done) :]
        tokens.append(Token(id=token, text=added))
        done += added
    return tuple(tokens)


def _row(generator: Generator, chat: Chat, max_tokens: int) -> ReferenceRow:
    read = prompt_of(generator, chat)
    return ReferenceRow(prompt=read, answer=answer_of(generator, read.ids or (), max_tokens))
