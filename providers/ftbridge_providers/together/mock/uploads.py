"""Files at mocked Together: uploaded in three requests, and validated after a while.

Uploads are as its SDK does them (3.1.1): the first request redirects to a storage, which is written without
a key, and the last one starts the validation.
"""

from __future__ import annotations

import hashlib
import secrets

from msgspec import structs

from ftbridge.mock import Answer, Call, MockVendor, Refusal, operation
from ftbridge_providers.together.mock.bodies import File, file_body
from ftbridge_providers.together.mock.training_file import FileProblem, check_training_file

VALIDATION_SECONDS = 10.0


class TogetherFiles(MockVendor):
    """The files of one account at Together."""

    @operation("POST", "/v1/files")
    def upload_file(self, call: Call) -> Answer:
        """The first request of an upload: where to send the content, or the file that has it already."""
        given = call.form
        known = [file for file in self.store.all("files", File) if file.checksum == given["checksum"]]
        if known and known[0].checked_at:
            raise Refusal(409, {**self.error(409, "File already exists."), "file_id": known[0].id})
        file = known[0] if known else self.new_file(given["file_name"], given["purpose"], given["checksum"])
        self.store.put("files", file.id, file)
        location = f"{call.base_url}{call.path.removesuffix('/v1/files')}/storage/{file.id}"
        return Answer({}, 302, {"location": location, "x-together-file-id": file.id})

    @operation("PUT", "/storage/{id}", open_to_all=True)
    def store_file(self, call: Call) -> Answer:
        """The content of an upload; the address is all that is needed to write it."""
        self.store.put_bytes("contents", self.file(call).id, call.content)
        return Answer(content=b"")

    @operation("POST", "/v1/files/{id}/preprocess")
    def preprocess_file(self, call: Call) -> Answer:
        """The last request of an upload, which starts the validation."""
        return Answer(file_body(self.validated(self.file(call)), self.now()))

    @operation("POST", "/v1/files/upload")
    def upload_file_at_once(self, call: Call) -> Answer:
        """An upload in one request."""
        checksum = hashlib.sha256(call.content).hexdigest()
        file = self.new_file(call.form["file_name"], call.form["purpose"], checksum)
        self.store.put_bytes("contents", file.id, call.content)
        return Answer(file_body(self.validated(file), self.now()))

    @operation("GET", "/v1/files")
    def list_files(self, call: Call) -> Answer:
        """Every completely uploaded file."""
        files = [file for file in self.store.all("files", File) if file.checked_at]
        return Answer({"data": [file_body(file, self.now()) for file in files]})

    @operation("GET", "/v1/files/{id}")
    def get_file(self, call: Call) -> Answer:
        """One file, with the result of its validation."""
        return Answer(file_body(self.file(call), self.now()))

    @operation("GET", "/v1/files/{id}/content")
    def get_file_content(self, call: Call) -> Answer:
        """One file's bytes."""
        return Answer(content=self.content(self.file(call).id))

    @operation("DELETE", "/v1/files/{id}")
    def delete_file(self, call: Call) -> Answer:
        """Delete a file, and its content; a model that was trained on it stays."""
        file = self.file(call)
        self.store.drop("files", file.id)
        self.store.drop_bytes("contents", file.id)
        return Answer({"id": file.id, "deleted": True})

    def new_file(self, name: str, purpose: str, checksum: str) -> File:
        """A file that is about to be uploaded."""
        return File(f"file-{secrets.token_hex(16)}", name, purpose, name.rsplit(".", 1)[-1], checksum, self.now())

    def validated(self, file: File) -> File:
        """A completely uploaded file, stored with the result of its validation, which is shown after a while."""
        content = self.content(file.id)
        file = structs.replace(file, bytes=len(content), checked_at=self.now() + VALIDATION_SECONDS / self.speed)
        try:
            kind, rows = check_training_file(content)
            file = structs.replace(file, dataset_format=kind.upper(), lines=len(rows))
        except FileProblem as problem:
            file = structs.replace(file, problem=str(problem))
        self.store.put("files", file.id, file)
        return file

    def file(self, call: Call) -> File:
        """The file that the path names. Raises the refusal if there is none."""
        file = self.store.get("files", call.params["id"], File)
        if file is None:
            raise self.refusal(404, f"File {call.params['id']} not found.", param="id")
        return file

    def training_file(self, file_id: str) -> File:
        """A file that a job can be created from. Raises the refusal if there is none."""
        file = self.store.get("files", file_id, File)
        if file is None or file.checked_at is None:
            raise self.refusal(400, f"Training file {file_id} not found.", param="training_file")
        if file.problem:
            raise self.refusal(400, f"Training file {file_id} is invalid: {file.problem}", param="training_file")
        return file

    def content(self, file_id: str) -> bytes:
        """The bytes of a file."""
        return self.store.get_bytes("contents", file_id) or b""
