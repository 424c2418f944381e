"""Files at the mock: stored as they are sent, and judged only when a job is created from them."""

from __future__ import annotations

import secrets
from typing import Any

from ftbridge.mock import Answer, Call, MockVendor, operation
from ftbridge_providers.openai_api.mock.bodies import File, file_body, page_of


class FilesMock(MockVendor):
    """The files of one account."""

    @operation("POST", "/v1/files")
    def upload_file(self, call: Call) -> Answer:
        """Store a file."""
        if call.form.get("purpose") not in ("fine-tune", "batch", "assistants", "vision", "user_data", "evals"):
            raise self.refusal(400, "Invalid value for 'purpose'.", param="purpose")
        if call.form["purpose"] == "fine-tune" and not call.file_name.endswith(".jsonl"):
            raise self.refusal(400, f"Invalid file format for Fine-Tuning API. Must be .jsonl, got {call.file_name}")
        return Answer(self.file_body(self.store_file(call.file_name, call.form["purpose"], call.content)))

    @operation("GET", "/v1/files")
    def list_files(self, call: Call) -> Answer:
        """One page of files, newest first."""
        files = [file for file in self.store.all("files", File) if call.query.get("purpose") in (None, file.purpose)]
        files.sort(key=lambda file: file.created_at, reverse=True)
        page, more = page_of([self.file_body(file) for file in files], call, 10_000)
        edges = {"first_id": page[0]["id"] if page else "", "last_id": page[-1]["id"] if page else ""}
        return Answer({"object": "list", "data": page, **edges, "has_more": more})

    @operation("GET", "/v1/files/{file_id}")
    def get_file(self, call: Call) -> Answer:
        """One file's description."""
        return Answer(self.file_body(self.file(call.params["file_id"])))

    @operation("GET", "/v1/files/{file_id}/content")
    def get_file_content(self, call: Call) -> Answer:
        """One file's bytes."""
        return Answer(content=self.content(self.file(call.params["file_id"]).id))

    @operation("DELETE", "/v1/files/{file_id}")
    def delete_file(self, call: Call) -> Answer:
        """Delete a file, and its content; a model that was trained on it stays."""
        file = self.file(call.params["file_id"])
        self.store.drop("files", file.id)
        self.store.drop_bytes("contents", file.id)
        self.store.put("deleted", file.id, file)
        return Answer({"id": file.id, "object": "file", "deleted": True})

    def store_file(self, name: str, purpose: str, content: bytes, file_id: str = "") -> File:
        """Store a file and its content."""
        file = File(file_id or f"file-{secrets.token_hex(11)}", name, purpose, len(content), self.now())
        self.store.put_bytes("contents", file.id, content)
        self.store.put("files", file.id, file)
        return file

    def exists(self, file_id: str) -> bool:
        """Whether a file is stored, or was: files of results are made when they are first needed, and only once."""
        return any(self.store.get(kind, file_id, File) for kind in ("files", "deleted"))

    def file(self, file_id: str, *, param: str | None = "id") -> File:
        """A stored file. Raises the vendor's refusal if there is none."""
        file = self.store.get("files", file_id, File)
        if file is None:
            raise self.refusal(404, f"No such File object: {file_id}", param=param)
        return file

    def content(self, file_id: str) -> bytes:
        """The bytes of a file."""
        return self.store.get_bytes("contents", file_id) or b""

    def file_body(self, file: File) -> dict[str, Any]:
        """A `File` object."""
        return file_body(file)
