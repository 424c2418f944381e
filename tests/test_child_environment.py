"""Processes that ftbridge starts get the environment without keys and passwords."""

from __future__ import annotations

import pytest

from ftbridge.child_environment import child_environment
from ftbridge.foreign.redaction import register
from ftbridge.plugins import declared_secrets


def test_every_vendors_keys_are_declared() -> None:
    assert declared_secrets() >= {
        "OPENAI_API_KEY", "TOGETHER_API_KEY", "MISTRAL_API_KEY", "NEBIUS_API_KEY", "AZURE_OPENAI_API_KEY",
        "AZURE_MANAGEMENT_TOKEN",
    }  # fmt: skip


def test_what_is_secret_is_left_out_and_all_else_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftbridge.child_environment.declared_secrets", lambda: frozenset({"ACME_LOGIN"}))
    register("the-value-of-a-key-1")
    secret = {
        "OPENAI_API_KEY": "x",
        "HF_TOKEN": "x",
        "FTBRIDGE_HOOK_SECRET": "x",
        "WANDB_API_KEY": "x",
        **dict.fromkeys(("DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD", "SMTP_PASS", "SSHPASS", "ACCESSTOKEN"), "x"),
        **dict.fromkeys(
            ("GITHUB_PAT", "OPENAI_KEY_2", "OPENAI_API_KEY_PROD", "RESTIC_PASSPHRASE", "REDISCLI_AUTH"), "x"
        ),
        "NOTIFY": "https://hooks.slack.com/services/T0/B0/x",
        "MINE": f"ghp_{'a1' * 18}",
        "ACME_LOGIN": "x",
        "UNDER_ANY_NAME": "the-value-of-a-key-1",
        "FTBRIDGE_LEDGER": "postgresql://me:hunter2@host/jobs",
    }
    plain = {
        "PATH": "/bin",
        "PWD": "/home/me",
        "CUDA_VISIBLE_DEVICES": "0",
        "TOKENIZERS_PARALLELISM": "false",
        "HTTPS_PROXY": "http://me:hunter2@proxy:3128",
        "OPENAI_BASE_URL": "https://api.example",
    }
    assert child_environment(environment=secret | plain) == plain
    assert child_environment(["HF_TOKEN"], secret | plain) == plain | {"HF_TOKEN": "x"}


def test_a_plugin_that_cannot_be_imported_does_not_keep_a_process_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("ftbridge.plugins.load_entry", broken)
    assert child_environment(environment={"PATH": "/bin", "A_TOKEN": "x"}) == {"PATH": "/bin"}
