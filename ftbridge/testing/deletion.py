"""What is left of a job: listed, deleted, and gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbridge.dataset import Conversion, Converter, convert
from ftbridge.errors import FtbridgeError, NotFound
from ftbridge.model import Spec
from ftbridge.provider import Artifact, Files, Provider
from ftbridge.testing.base import ROWS, Finished, SuiteBase, new_tag, require_verbs


class DeletionTests(SuiteBase):
    """Skipped where the vendor deletes nothing."""

    @pytest.fixture(scope="class")
    @classmethod
    def own_files(cls, tmp_path_factory: pytest.TempPathFactory, provider: Provider, spec: Spec) -> Files:
        """Files that no other job has."""
        conversion = _rows_of_its_own(provider.converter(spec, cls.model), tmp_path_factory.mktemp("own"))
        return Files(training=provider.upload(conversion.out, key=conversion.key))

    @pytest.fixture(scope="class")
    @classmethod
    def unwanted(cls, provider: Provider, spec: Spec, own_files: Files) -> Finished:
        """A finished job that nobody needs."""
        made = provider.create(spec, cls.model, own_files, tag=new_tag())
        return cls.follow(provider, made.remote_id)

    def test_a_finished_job_lists_its_files_and_its_model(
        self, provider: Provider, unwanted: Finished, own_files: Files
    ) -> None:
        require_verbs(provider, "delete")
        artifacts = provider.artifacts(unwanted.remote.remote_id)
        assert own_files.training in [one.name for one in artifacts if one.kind == "file"]
        assert [one.name for one in artifacts if one.kind == "model"] == [unwanted.model]
        assert all(one.part_of in (None, *(other.name for other in artifacts)) for one in artifacts)

    def test_deleting_it_again_says_that_it_is_gone(self, provider: Provider, unwanted: Finished) -> None:
        require_verbs(provider, "delete")
        artifacts = provider.artifacts(unwanted.remote.remote_id)
        deletable = [one for one in artifacts if not one.kept and not one.part_of]
        assert "file" in {one.kind for one in deletable}
        for one in deletable:
            provider.delete(one)
        for one in deletable:
            with pytest.raises(NotFound) as problem:
                provider.delete(one)
            self.check_error(problem.value, provider, NotFound)
        model_is_kept = any(one.kept for one in artifacts if one.kind == "model")
        if "list_models" in provider.capabilities.verbs and not model_is_kept:
            assert unwanted.model not in provider.list_models()

    def test_a_file_that_was_deleted_is_uploaded_again(self, provider: Provider, spec: Spec, tmp_path: Path) -> None:
        require_verbs(provider, "delete")
        rows = _rows_of_its_own(provider.converter(spec, self.model), tmp_path)
        first = provider.upload(rows.out, key=rows.key)
        provider.delete(Artifact(kind="file", name=first))
        again = provider.upload(rows.out, key=rows.key)
        assert provider.upload(rows.out, key=rows.key) == again
        provider.delete(Artifact(kind="file", name=again))

    def test_what_cannot_be_deleted_says_why(self, provider: Provider, finished: Finished) -> None:
        kept = [one for one in provider.artifacts(finished.remote.remote_id) if one.kept]
        for one in kept:
            with pytest.raises(FtbridgeError):
                provider.delete(one)
        if "delete" not in provider.capabilities.verbs:
            assert all(one.kept for one in provider.artifacts(finished.remote.remote_id))


def _rows_of_its_own(converter: Converter, folder: Path) -> Conversion:
    """Converted rows that are in no other file: some vendors know equal files by their content."""
    question = {"role": "user", "content": f"Say {new_tag()}."}
    rows = [*ROWS, {"messages": [question, {"role": "assistant", "content": "no"}]}]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return convert(folder / "rows.jsonl", converter, folder / "converted.jsonl")
