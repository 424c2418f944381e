"""The training loop: one fine-tuning run, from the job folder and into it.

All of it is below: read the rows, put an adapter on the base, and step by step predict, compare, correct.
"""

from __future__ import annotations

import shutil
import time
from functools import partial
from itertools import chain, islice
from pathlib import Path

from ftbridge.errors import FtbridgeError, SpecError
from ftbridge.files import whole_folder
from ftbridge.model import Method, Status
from ftbridge_local.job_documents import ResultInfo
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.model_card import model_card
from ftbridge_local.models.find import find_for_job, find_message
from ftbridge_local.models.source import copy_companions, copy_tokenizer, parameters
from ftbridge_local.trainer import rows
from ftbridge_local.trainer.distributed import SINGLE, Distributed
from ftbridge_local.trainer.preload import load
from ftbridge_local.trainer.settings import choose, in_use, tokenizer_for

Outcome = tuple[Status, ResultInfo | None]


def train(job: JobFolder, home: Path, distributed: Distributed = SINGLE) -> Outcome:  # noqa: C901 - one page that reads from top to bottom
    """Run the job to its end, or to where it is asked to stop; its status then, and what is known of its result.

    `home` is where base models and tokenized data are cached. Where several processes train, each computes its shard
    of every step, and the first one writes.
    """
    if unknown := job.not_understood():
        raise SpecError(f"this ftbridge does not know the job's {', '.join(unknown)}", hint="Upgrade ftbridge here.")
    spec = job.spec()
    report = partial(job.add_event, "message")
    if distributed.world_size == 1:  # else the launcher has reported it
        report(message=find_message(spec.base, home))
    load()  # before anything else that imports a part of it: two threads that do so get in each other's way

    import torch

    from ftbridge_local.models.device import peak_memory, prefers_bf16
    from ftbridge_local.models.load import save
    from ftbridge_local.trainer import checkpoint, distillation, losses, row_losses, trainable, varlen

    source = find_for_job(job, home)
    tokenizer = tokenizer_for(source, spec.hyperparameters)
    settings, settings_note = choose(
        spec.hyperparameters,
        spec.method,
        parameters=parameters(source),
        context=tokenizer.context,
        prefers_bf16=prefers_bf16(),
        adapter=source.adapter is not None,
    )
    used = in_use(settings, spec.method, adapter=source.adapter is not None)
    report(message=settings_note or "all hyperparameters were given", code="settings", hyperparameters=used)
    read = partial(rows.read, tokenizer=tokenizer, max_length=settings.max_seq_length, home=home, report=report)
    items, lines = read(job.path / spec.training)
    held_out = read(job.path / spec.validation)[0] if spec.validation else []

    torch.manual_seed(settings.seed)  # for the initial weights of a new adapter
    last = checkpoint.newest(job.checkpoints)
    model = trainable.trainable(source, settings, last)
    report(message=trainable.describe(model), code="trained")
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=0.0, weight_decay=settings.weight_decay, fused=True)
    progress = checkpoint.restore(last, optimizer) if last else checkpoint.Progress(row_losses.unseen(len(items)))

    micro = trainable.microbatch_tokens(model)
    if not varlen.enable(model):
        report(message="this model is trained on padded rows: it computes other results on concatenated rows")
    if trainable.checkpoint_activations(model, max(micro, *(row.tokens for item in items for row in item.rows))):
        report(message="activations are recomputed in the backward pass, because memory cannot hold them")
    objective = losses.objective(spec.method, settings.beta)
    if spec.method is Method.DPO:
        items = losses.with_reference(model, items, micro, job.path / "reference-training.json", distributed)
        held_out = losses.with_reference(model, held_out, micro, job.path / "reference-validation.json", distributed)
    if spec.method is Method.DISTILL:
        objective = distillation.learn_from_teacher(job, home, settings.precision, settings.temperature)

    steps_per_epoch = -(-len(items) // settings.batch_size)
    steps = settings.epochs * steps_per_epoch
    job.set_status(Status.RUNNING)
    if last:
        report(message=f"continuing from the checkpoint of step {progress.step}", step=progress.step)
    elif held_out:
        before = losses.mean(model, held_out, objective, micro, distributed)
        job.add_event("metric", step=0, total_steps=steps, epoch=0.0, valid_loss=before)

    plan = rows.batches(len(items), settings.batch_size, settings.epochs, settings.seed)
    for indices in islice(plan, progress.step, None):
        if settings.early_stopping and progress.evaluations_since_best >= settings.early_stopping:
            report(message=f"stopped early: the validation loss was lowest at step {progress.best_step}")
            break
        started = time.perf_counter()
        progress.step += 1
        torch.manual_seed(settings.seed + progress.step + distributed.seed)  # dropout follows from the step alone
        model.train()
        batch = [items[index] for index in indices]
        weight = sum(item.weight for item in batch)
        loss, accuracy, each = 0.0, 0.0, {id(item): [0.0, 0.0] for item in batch}
        for part in losses.microbatches(model, distributed.shard(batch), micro):
            sums = objective(model, part)
            (sums.loss / weight).backward()  # type: ignore[no-untyped-call]  # its share of the mean over the whole batch
            loss, accuracy = loss + sums.loss.item() / weight, accuracy + sums.correct.item() / weight
            each |= zip(map(id, part), sums.each.tolist(), strict=True)
        loss, accuracy, *values = distributed.sum(loss, accuracy, *chain(*(each[id(item)] for item in batch)))
        row_losses.record(progress.rows, indices, values, epoch=-(-progress.step // steps_per_epoch))
        distributed.sum_gradients(weights)
        norm = torch.nn.utils.clip_grad_norm_(weights, 1.0)
        rate = settings.learning_rate_at(progress.step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        tokens = sum(item.tokens for item in batch)
        progress.tokens += tokens
        seconds = time.perf_counter() - started

        due = settings.evaluation_due(progress.step, steps_per_epoch, steps)
        valid_loss = losses.mean(model, held_out, objective, micro, distributed) if due and held_out else None
        if valid_loss is not None:
            progress.record_evaluation(valid_loss)
        job.add_event(
            "metric",
            step=progress.step,
            total_steps=steps,
            epoch=progress.step / steps_per_epoch,
            tokens=progress.tokens,
            train_loss=loss,
            valid_loss=valid_loss,
            token_accuracy=accuracy,
            learning_rate=rate,
            grad_norm=norm.item(),
            tokens_per_second=tokens / seconds,
            peak_memory=peak_memory(model.device),
        )
        request = distributed.broadcast(job.request)
        if distributed.first and (due or request == "pause"):
            checkpoint.save(job.checkpoints, progress, model, optimizer, source)
            job.add_event("checkpoint", step=progress.step, message=f"checkpoint of step {progress.step}")
        if request:
            return (Status.PAUSED if request == "pause" else Status.CANCELLED), None

    if not distributed.first:
        return Status.SUCCEEDED, None
    learned = row_losses.facts(progress.rows, lines)
    report(
        message=row_losses.describe(progress.rows, lines, spec.method), code="rows", step=progress.step, rows=learned
    )
    best = checkpoint.of_step(job.checkpoints, progress.best_step)
    with whole_folder(job.result) as temporary:
        if progress.evaluations_since_best and best.exists():
            shutil.copytree(best, temporary, dirs_exist_ok=True, ignore=shutil.ignore_patterns(checkpoint.STATE))
            step, valid_loss = progress.best_step, progress.best_loss
            report(message=f"the result is that of step {step}, where the validation loss was lowest")
        else:
            save(model, temporary)
            step, valid_loss = progress.step, None if progress.evaluations_since_best else progress.best_loss
        if settings.tuning == "full":
            copy_companions(source, temporary, tokenizer.end_ids)
        else:
            copy_tokenizer(source, temporary)
        result = ResultInfo(step=step, valid_loss=valid_loss, settings_note=settings_note or None)
        form = "model" if settings.tuning == "full" else "adapter"
        (temporary / "README.md").write_text(model_card(job, result, form, source, temporary), "utf-8")
    return Status.SUCCEEDED, result


def error_text(problem: Exception) -> str:
    """What the user reads of an error that ended the job."""
    return problem.message if isinstance(problem, FtbridgeError) else f"{type(problem).__name__}: {problem}"
