"""`python -m ftbridge_local.trainer.train JOBFOLDER`: one fine-tuning run, from the job folder and into it.

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

from ftbridge.errors import FtbridgeError
from ftbridge.files import whole_folder
from ftbridge.model import Method, Status
from ftbridge_local import models as source
from ftbridge_local.exporting.export import card
from ftbridge_local.job_folder import JobFolder, ResultInfo, hold
from ftbridge_local.trainer import rows
from ftbridge_local.trainer.distributed import ALONE, Ranks
from ftbridge_local.trainer.preload import load
from ftbridge_local.trainer.settings import choose
from ftbridge_local.trainer.tokenizer import Tokenizer


def train(job: JobFolder, ranks: Ranks = ALONE) -> Status:  # noqa: C901 - it reads from top to bottom, which parts would not
    """Run the job to its end, or to where it is asked to stop; the status that it has then.

    Where there are several `ranks` each does its share of every step, and the first one writes.
    """
    order = job.order()
    spec = order.spec
    say = partial(job.add_event, "message")
    if ranks.count == 1:  # else the launcher has
        say(message=source.announced(order.model, order.home))
    load()  # before anything else that may import a part of it: two threads that do so get in each other's way

    import torch

    from ftbridge_local.trainer import checkpoint, losses
    from ftbridge_local.trainer import model as models
    from ftbridge_local.trainer import varlen as flat

    place = source.find(order.model, order.home, weights=True)
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
    read = partial(rows.read, tokenizer=tokenizer, longest=settings.max_seq_length, home=order.home)
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
        items = losses.with_reference(model, items, at_once, job.path / "reference-training.json", ranks)
        held_out = losses.with_reference(model, held_out, at_once, job.path / "reference-validation.json", ranks)

    per_epoch = -(-len(items) // settings.batch_size)
    steps = settings.epochs * per_epoch
    job.set_status(Status.RUNNING)
    if last:
        say(message=f"going on from the checkpoint of step {progress.step}", step=progress.step)
    elif held_out:
        before = losses.mean(model, held_out, objective, at_once, ranks)
        job.add_event("metric", step=0, total_steps=steps, epoch=0.0, valid_loss=before)

    plan = rows.batches(len(items), settings.batch_size, settings.epochs, settings.seed)
    for batch in islice(plan, progress.step, None):
        if settings.early_stopping and progress.worse >= settings.early_stopping:
            say(message=f"stopped early: the validation loss was lowest at step {progress.best_step}")
            break
        began = time.perf_counter()
        progress.step += 1
        torch.manual_seed(settings.seed + progress.step + ranks.seed)  # so chance, too, follows from the step alone
        model.train()
        some = [items[index] for index in batch]
        weight = sum(item.weight for item in some)
        loss, right = 0.0, 0.0
        for part in losses.passes(model, ranks.share(some), at_once):
            found = objective(model, part)
            (found.total / weight).backward()  # type: ignore[no-untyped-call]  # its share of the mean over the whole batch
            loss, right = loss + found.total.item() / weight, right + found.right.item() / weight
        loss, right = ranks.sum(loss, right)
        ranks.sum_gradients(parameters)
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
        valid_loss = losses.mean(model, held_out, objective, at_once, ranks) if due and held_out else None
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
        asked = ranks.agree(job.request)
        if ranks.first and (due or asked == "pause"):
            checkpoint.save(job.checkpoints, progress, model, optimizer)
            job.add_event("checkpoint", step=progress.step, message=f"checkpoint of step {progress.step}")
        if asked:
            return Status.PAUSED if asked == "pause" else Status.CANCELLED

    if not ranks.first:
        return Status.SUCCEEDED
    best = checkpoint.of_step(job.checkpoints, progress.best_step)
    with whole_folder(job.result) as beside:
        if progress.worse and best.exists():
            shutil.copytree(best, beside, dirs_exist_ok=True, ignore=shutil.ignore_patterns(checkpoint.STATE))
            kept = ResultInfo(step=progress.best_step, valid_loss=progress.best_loss)
            say(message=f"the result is that of step {kept.step}, where the validation loss was lowest")
        else:
            models.save(model, beside)
            kept = ResultInfo(step=progress.step, valid_loss=None if progress.worse else progress.best_loss)
        if settings.tuning == "full":
            source.copy_beside(place.base, beside)
        job.keep(kept)
        (beside / "README.md").write_text(card(job, "model" if settings.tuning == "full" else "adapter", place, beside))
    return Status.SUCCEEDED


def told(problem: Exception) -> str:
    """What the user is told of it."""
    return str(problem) if isinstance(problem, FtbridgeError) else f"{type(problem).__name__}: {problem}"


def main(folder: str, lock: str | None = None) -> int:
    """Be the job's worker; `lock` is the open, locked file that was handed down, if one was."""
    job = JobFolder(Path(folder))
    held = hold(job, int(lock) if lock else None)
    if held is None:
        print(f"{folder} has a worker already", file=sys.stderr)  # noqa: T201 - standard error is worker.log
        return 1
    signal.signal(signal.SIGTERM, lambda *_: job.ask("pause"))
    try:
        job.set_status(Status.VALIDATING)
        if (devices := job.order().spec.hyperparameters.devices or 1) > 1:
            from ftbridge_local.trainer.elastic import (
                launch,  # which has torch's launcher train, in processes of its own
            )

            job.set_status(launch(job, held, devices))
        else:
            job.set_status(train(job))
    except Exception as problem:  # every failure is to be told by the status, whatever it is
        traceback.print_exc()
        job.set_status(Status.FAILED, told(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
