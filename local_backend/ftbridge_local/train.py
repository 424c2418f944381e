"""`python -m ftbridge_local.train JOBFOLDER`: one fine-tuning run, from the job folder and into it.

The loop below is all there is to it: read the rows, put LoRA on the base, and step by step predict, compare, correct.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from ftbridge.dataset import read_examples
from ftbridge.errors import DataError, FtbridgeError
from ftbridge.files import whole_folder
from ftbridge.model import Status
from ftbridge_local import data, source
from ftbridge_local.folder import JobFolder, Request, hold
from ftbridge_local.settings import Settings, choose
from ftbridge_local.tokenizer import Tokenizer

_OFTEN = 200  # steps at most between two looks at the validation data, each with a checkpoint


class Stop:
    """Whether to stop after this step: as the job folder asks, or with a checkpoint when the system says SIGTERM."""

    def __init__(self, job: JobFolder) -> None:
        self._job = job
        self._told = False
        signal.signal(signal.SIGTERM, self._hear)

    def asked(self) -> Request | None:
        """What is asked for now."""
        return self._job.request or ("pause" if self._told else None)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._told = True


def train(job: JobFolder, stop: Stop) -> Status:
    """Run the job to its end, or to where it is asked to stop; the status that it has then."""
    order = job.order()
    job.add_event("message", message=f"getting the base {order.model} ready")
    place = source.find(order.model, order.home, weights=True)

    import torch  # the heavy part, after the signal handler and after what may fail sooner

    from ftbridge_local import checkpoint
    from ftbridge_local import model as models

    tokenizer = Tokenizer(place.base)
    model = models.load(place)
    given = order.spec.hyperparameters
    settings, chosen = choose(given, parameters=model.num_parameters(), context=tokenizer.context)
    job.add_event("message", message=chosen)
    rows = read_rows(order.training, tokenizer, settings, job)
    held_out = read_rows(order.validation, tokenizer, settings, job) if order.validation else []

    torch.manual_seed(settings.seed)
    last = checkpoint.newest(job.checkpoints)
    if last:
        model = models.with_adapter(model, last, trainable=True)
    else:
        model = models.with_lora(
            model, rank=settings.lora_rank, alpha=settings.lora_alpha, dropout=settings.lora_dropout
        )
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=0.0, weight_decay=settings.weight_decay, fused=True)
    done = checkpoint.restore(last, optimizer) if last else 0

    per_epoch = -(-len(rows) // settings.batch_size)
    total = settings.epochs * per_epoch
    job.set_status(Status.RUNNING)
    if last:
        job.add_event("message", message=f"going on from the checkpoint of step {done}", step=done)
    elif held_out:
        job.add_event("metric", step=0, total_steps=total, epoch=0.0, valid_loss=models.mean_loss(model, held_out))

    for step, batch in plan(rows, settings, done):
        began = time.perf_counter()
        model.train()
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate_at(step, total)
        loss = models.losses(model, batch)
        (loss.total / loss.tokens).backward()  # type: ignore[no-untyped-call]  # torch does not say
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds = time.perf_counter() - began

        due = step % per_epoch == 0 or step % _OFTEN == 0
        job.add_event(
            "metric",
            step=step,
            total_steps=total,
            epoch=step / per_epoch,
            train_loss=loss.total.item() / loss.tokens,
            valid_loss=models.mean_loss(model, held_out) if due and held_out else None,
            token_accuracy=loss.right.item() / loss.tokens,
            learning_rate=settings.learning_rate_at(step, total),
            tokens_per_second=sum(len(row.ids) for row in batch) / seconds,
        )
        asked = stop.asked()
        if due or asked == "pause":
            checkpoint.save(job.checkpoints, step, model, optimizer)
            job.add_event("checkpoint", step=step, message=f"checkpoint of step {step}")
        if asked:
            return Status.PAUSED if asked == "pause" else Status.CANCELLED

    with whole_folder(job.adapter) as beside:
        checkpoint.save_adapter(model, beside)
    return Status.SUCCEEDED


def read_rows(file: Path, tokenizer: Tokenizer, settings: Settings, job: JobFolder) -> list[data.Row]:
    """The rows of a data file, cut to length; those with nothing left to train on are skipped, and said."""
    rows, skipped, shortened = [], [], []
    for line, example in read_examples(file):
        try:
            whole = data.encode(example, tokenizer)
        except data.UnfitError as problem:
            raise DataError(f"{file.name}, line {line}: {problem}", hint=problem.fix, line=line) from None
        row = whole.cut(settings.max_seq_length)
        if not any(row.trained):
            skipped.append(line)
            continue
        if len(row.ids) < len(whole.ids):
            shortened.append(line)
        rows.append(row)
    for lines, what in ((skipped, "skipped: nothing of the answers fits into"), (shortened, "cut off: longer than")):
        if lines:
            first = ", ".join(map(str, lines[:3]))
            said = f"{len(lines)} rows were {what} {settings.max_seq_length} tokens (the first in lines {first})"
            job.add_event("message", message=said)
    if not rows:
        raise DataError(f"{file.name} has no row to train on", hint="Raise max_seq_length, or shorten the prompts.")
    return rows


def plan(rows: list[data.Row], settings: Settings, done: int) -> Iterator[tuple[int, list[data.Row]]]:
    """The steps that are left after the first `done` ones, each with its rows."""
    lengths, step = [len(row.ids) for row in rows], 0
    for epoch in range(settings.epochs):
        for batch in data.batches(lengths, settings.batch_size, f"{settings.seed}/{epoch}"):
            step += 1
            if step > done:
                yield step, [rows[index] for index in batch]


def main(folder: str, lock: str | None = None) -> int:
    """Be the job's worker; `lock` is the open, locked file that was handed down, if one was."""
    job = JobFolder(Path(folder))
    if not hold(job, int(lock) if lock else None):
        print(f"{folder} has a worker already", file=sys.stderr)  # noqa: T201 - standard error is worker.log
        return 1
    stop = Stop(job)
    try:
        job.set_status(Status.VALIDATING)
        job.set_status(train(job, stop))
    except Exception as problem:  # every failure is to be told by the status, whatever it is
        traceback.print_exc()
        known = isinstance(problem, FtbridgeError)
        job.set_status(Status.FAILED, str(problem) if known else f"{type(problem).__name__}: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
