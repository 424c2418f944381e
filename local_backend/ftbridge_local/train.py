"""`python -m ftbridge_local.train JOBFOLDER`: one fine-tuning run, from the job folder and into it.

The loop below is all there is to it: read the rows, put LoRA on the base, and step by step predict, compare, correct.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
import traceback
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType

from ftbridge.errors import FtbridgeError
from ftbridge.files import whole_folder
from ftbridge.model import Method, Status
from ftbridge_local import rows, source
from ftbridge_local.folder import JobFolder, Request, hold
from ftbridge_local.settings import choose
from ftbridge_local.tokenizer import Tokenizer


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


def train(job: JobFolder, stop: Stop) -> Status:  # noqa: C901 - it reads from top to bottom, which parts would not
    """Run the job to its end, or to where it is asked to stop; the status that it has then."""
    order = job.order()
    spec = order.spec
    say = partial(job.add_event, "message")
    say(message=f"getting the base {order.model} ready")
    place = source.find(order.model, order.home, weights=True)

    import torch  # the heavy part, after the signal handler and after what may fail sooner

    from ftbridge_local import checkpoint, flat, losses
    from ftbridge_local import model as models

    tokenizer = Tokenizer(place.base)
    settings, chosen = choose(
        spec.hyperparameters,
        spec.method,
        parameters=source.parameters(place),
        context=tokenizer.context,
        halves=models.likes_halves(),
        adapter=place.adapter is not None,
    )
    say(message=chosen)
    read = partial(rows.read, tokenizer=tokenizer, longest=settings.max_seq_length, cache=order.home / "local" / "rows")
    items = read(order.training, say=lambda message: say(message=message))
    held_out = read(order.validation, say=lambda message: say(message=message)) if order.validation else []

    torch.manual_seed(settings.seed)  # for what a new adapter begins with
    last = checkpoint.newest(job.checkpoints)
    model = models.trainable(place, settings, last)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=0.0, weight_decay=settings.weight_decay, fused=True)
    progress = checkpoint.restore(last, optimizer) if last else checkpoint.Progress()

    at_once = models.tokens_at_once(model)
    if not flat.adopt(model):
        say(message="this model is trained on padded rows: it gives other results on rows laid end to end")
    if models.spare_memory(model, max(at_once, *(row.tokens for item in items for row in item.rows))):
        say(message="to fit into memory, the layers are computed a second time on the way back")
    objective = losses.objective(spec.method, settings.beta)
    if spec.method is Method.DPO:
        items = losses.with_reference(model, items, at_once, job.path / "reference-training.json")
        held_out = losses.with_reference(model, held_out, at_once, job.path / "reference-validation.json")

    per_epoch = -(-len(items) // settings.batch_size)
    steps = settings.epochs * per_epoch
    job.set_status(Status.RUNNING)
    if last:
        say(message=f"going on from the checkpoint of step {progress.step}", step=progress.step)
    elif held_out:
        before = losses.mean(model, held_out, objective, at_once)
        job.add_event("metric", step=0, total_steps=steps, epoch=0.0, valid_loss=before)

    plan = rows.batches(len(items), settings.batch_size, settings.epochs, settings.seed)
    for batch in islice(plan, progress.step, None):
        if settings.early_stopping and progress.worse >= settings.early_stopping:
            say(message=f"stopped early: the validation loss was lowest at step {progress.best_step}")
            break
        began = time.perf_counter()
        progress.step += 1
        torch.manual_seed(settings.seed + progress.step)  # so that chance, too, follows from the step alone
        model.train()
        some = [items[index] for index in batch]
        weight = sum(item.weight for item in some)
        loss, right = 0.0, 0.0
        for part in losses.passes(model, some, at_once):
            found = objective(model, part)
            (found.total / weight).backward()  # type: ignore[no-untyped-call]  # its share of the mean over the whole batch
            loss, right = loss + found.total.item() / weight, right + found.right.item() / weight
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        rate = settings.learning_rate_at(progress.step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        tokens = sum(item.tokens for item in some)
        progress.tokens += tokens
        seconds = time.perf_counter() - began

        due = settings.due(progress.step, per_epoch, steps)
        valid_loss = losses.mean(model, held_out, objective, at_once) if due and held_out else None
        if valid_loss is not None:
            progress.judge(valid_loss)
        job.add_event(
            "metric",
            step=progress.step,
            total_steps=steps,
            epoch=progress.step / per_epoch,
            tokens=progress.tokens,
            train_loss=loss,
            valid_loss=valid_loss,
            token_accuracy=right,
            learning_rate=rate,
            grad_norm=norm.item(),
            tokens_per_second=tokens / seconds,
            peak_memory=models.peak_memory(model),
        )
        asked = stop.asked()
        if due or asked == "pause":
            checkpoint.save(job.checkpoints, progress, model, optimizer)
            job.add_event("checkpoint", step=progress.step, message=f"checkpoint of step {progress.step}")
        if asked:
            return Status.PAUSED if asked == "pause" else Status.CANCELLED

    best = checkpoint.of_step(job.checkpoints, progress.best_step)
    with whole_folder(job.result) as beside:
        if progress.worse and best.exists():
            shutil.copytree(best, beside, dirs_exist_ok=True, ignore=shutil.ignore_patterns(checkpoint.STATE))
            say(message=f"the result is that of step {progress.best_step}, where the validation loss was lowest")
        else:
            models.save(model, beside)
        if settings.tuning == "full":
            source.copy_beside(place.base, beside)
    return Status.SUCCEEDED


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
