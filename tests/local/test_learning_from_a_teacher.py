"""`--method distill`: the student learns the teacher's probabilities, and not the text alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer as Backend
from torch import Tensor

from ftbridge import Bridge
from ftbridge.errors import SpecError, UsageError
from ftbridge.model import Hyperparameters, Method, Spec, Status
from ftbridge.provider import Files, RemoteJob
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.tokenizing.encoding import Row
from ftbridge_local.trainer import varlen
from ftbridge_local.trainer.distillation import distillation
from local.lab import Lab
from local.test_losses import FAMILIES, OWN_WAY, build, some_rows

BOTH_WAYS = [FAMILIES["llama"], OWN_WAY["bent logits"]]


def by_hand(model: Any, teacher: Any, rows: list[Row], temperature: float) -> Tensor:
    """The sum over trained tokens of p log(p / q), each row alone, by the models' own forward."""
    total = torch.zeros(())
    for row in rows:
        ids = torch.tensor([row.ids])
        student, its = model(input_ids=ids).logits[0], teacher(input_ids=ids).logits[0].detach()
        for place in range(1, len(row.ids)):
            if row.trained[place]:
                p, q = (torch.softmax(both[place - 1] / temperature, dim=0) for both in (its, student))
                total = total + temperature**2 * (p * (p / q).log()).sum()
    return total


@pytest.mark.parametrize("family", BOTH_WAYS, ids=["concatenated", "padded"])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_loss_and_its_gradient_are_those_of_the_formula(family: Any, temperature: float) -> None:
    student, teacher, rows = build(family()), build(family()), some_rows()
    with torch.no_grad():
        for weight in teacher.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)))
    expected = by_hand(student, teacher, rows, temperature)
    expected.backward()  # type: ignore[no-untyped-call]
    gradients = [weight.grad.clone() for weight in student.parameters()]
    student.zero_grad()
    assert varlen.enable(student) == varlen.enable(teacher) == (family is FAMILIES["llama"])
    sums = distillation(student, rows, teacher, temperature)
    sums.loss.backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(sums.loss, expected, rtol=1e-4, atol=1e-4)
    for weight, gradient in zip(student.parameters(), gradients, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-3, atol=1e-4)
    trained = torch.tensor([sum(row.trained) for row in rows])
    torch.testing.assert_close((sums.each[:, 0] * trained).sum(), sums.loss.detach(), rtol=1e-4, atol=1e-4)


def test_who_learns_from_itself_has_nothing_to_learn() -> None:
    model, rows = build(FAMILIES["llama"]()), some_rows()
    assert distillation(model, rows, model, 1.0).loss.item() == pytest.approx(0, abs=1e-5)


def wanting(lab: Lab, teacher: str | None, method: str = "distill", **settings: Any) -> Spec:
    return Spec(
        target="local:tiny",
        data=lab.data.training,
        method=Method(method),
        teacher=teacher,
        hyperparameters=Hyperparameters(**settings),
    )


def test_a_student_comes_close_to_its_teacher(lab: Lab, finished: RemoteJob) -> None:
    assert finished.result is not None
    spec = wanting(lab, f"local:{finished.result.path}", epochs=4, batch_size=4, seed=3, temperature=2.0)
    files = Files(training=str(lab.data.training), validation=str(lab.data.validation))
    lab.provider.create(spec, "tiny", files, tag="student")
    student = lab.wait("student")
    assert student.status is Status.SUCCEEDED, student.error
    losses = [event.valid_loss for event in lab.events("student") if event.valid_loss is not None]
    assert losses[-1] < 0.1 * losses[0]
    assert "teacher | tiny, with an adapter" in (lab.folder("student").result / "README.md").read_text()


def test_the_job_folder_holds_the_teacher_so_that_a_copy_of_it_trains_elsewhere(lab: Lab, finished: RemoteJob) -> None:
    assert finished.result is not None
    spec = wanting(lab, f"local:{finished.result.path}", epochs=1)
    lab.provider.create(spec, "tiny", Files(training=str(lab.data.training)), tag="copied")
    lab.provider.cancel("copied")
    folder = lab.folder("copied")
    assert (folder.spec().teacher, folder.spec().teacher_adapter) == ("tiny", "teacher-adapter")
    assert (folder.path / "teacher-adapter" / "adapter_model.safetensors").exists()


def test_a_teacher_with_other_tokens_is_refused(lab: Lab, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(lab.provider.home / "local" / "bases" / tiny.FOLDER, other)
    backend = Backend.from_file(str(other / "tokenizer.json"))
    backend.add_tokens(["one more"])
    backend.save(str(other / "tokenizer.json"))
    with pytest.raises(SpecError, match="1 entries of their vocabularies differ") as refused:
        lab.provider.check_limits(wanting(lab, f"local:{other}"), "tiny")
    assert "ftbridge distill PROMPTS --teacher" in refused.value.hint


def test_a_teacher_at_another_provider_is_refused_with_the_way_to_its_answers(lab: Lab) -> None:
    with Bridge() as bridge, pytest.raises(UsageError, match="its probabilities cannot be read there") as refused:
        bridge.submit(lab.data.training, "local:tiny", method="distill", teacher="mock+openai:gpt-4.1-2025-04-14")
    assert "`ftbridge distill PROMPTS --teacher mock+openai:" in refused.value.hint


@pytest.mark.parametrize(
    ("method", "teacher", "message"),
    [("distill", None, "distill needs a teacher"), ("sft", "local:tiny", "teacher is a setting of distill")],
)
def test_the_method_and_the_teacher_belong_together(lab: Lab, method: str, teacher: str | None, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        lab.provider.check_spec(wanting(lab, teacher, method))
