"""What `[runners.NAME]` of ftbridge.toml may hold: where jobs run, and with what."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator

from ftbridge.provider.settings import Settings

_ADDRESS = re.compile(r"[\w\[][\w.@:/%+\[\]-]*")  # never an option of ssh's


class SshTable(Settings):
    """A machine that ssh reaches."""

    kind: str = "ssh"
    host: str = Field("", description="What `ssh HOST` takes: an alias of ~/.ssh/config, or USER@HOST; default: NAME.")
    ssh_config: Path | None = Field(None, description="Another file than ~/.ssh/config.")
    python: str = Field("python3", description="The Python there that has torch; `~/` is the home folder there.")
    folder: str = Field("~/.ftbridge", description="Where jobs and base models are kept there.")
    setup: str = Field("", description="A shell command that is run in that folder where packages are missing.")

    @field_validator("host")
    @classmethod
    def _is_address(cls, host: str) -> str:
        if host and not _ADDRESS.fullmatch(host):
            raise ValueError("it is no host, such as gpu-box, alice@10.0.0.7 or ssh://alice@10.0.0.7:2222")
        return host

    @field_validator("python", "folder", "setup")
    @classmethod
    def _is_one_line(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("it has more than one line")
        return text


class SlurmTable(SshTable):
    """A Slurm cluster: this machine is its login node, unless `host` names another one."""

    kind: str = "slurm"
    partition: str = Field("", description="sbatch --partition.")
    account: str = Field("", description="sbatch --account.")
    time: str | int = Field("", description="sbatch --time: minutes, or HOURS:MINUTES:SECONDS; the job pauses then.")
    gpus: str | int = Field("", description="sbatch --gpus: a number, or TYPE:NUMBER.")
    options: tuple[str, ...] = Field((), description='More options of sbatch, such as ["--mem=64G"].')

    @field_validator("options")
    @classmethod
    def _are_options(cls, options: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [one for one in options if not re.fullmatch(r"--[a-z].*", one)]:
            raise ValueError(f"{wrong[0]!r} is no option of sbatch: write --NAME=VALUE")
        return options

    @property
    def sbatch_options(self) -> tuple[str, ...]:
        """The options of sbatch that it stands for."""
        named = {name: getattr(self, name) for name in ("partition", "account", "time", "gpus")}
        return (*(f"--{name}={value}" for name, value in named.items() if value), *self.options)


class RayTable(Settings):
    """A Ray cluster, reached at its dashboard, which has the job server; on Kubernetes, KubeRay's head service."""

    kind: str = "ray"
    address: str = Field("", description="The dashboard's URL, such as https://ray.example.com.")
    insecure: bool = Field(False, description="Whether http to another machine is accepted.")
    folder: str = Field("", description="A folder that all nodes see; default: Ray's own log folder of each node.")
    python: str = Field("python", description="The Python of the nodes that has torch.")
    num_cpus: float = Field(0, ge=0, description="CPUs to wait for.")
    num_gpus: float = Field(0, ge=0, description="GPUs to wait for; without any the job runs on the head node.")
    pip: tuple[str, ...] = Field((), description="Packages that Ray installs on the node, in an environment of a job.")

    @field_validator("address")
    @classmethod
    def _is_url(cls, address: str) -> str:
        if address and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", address):
            raise ValueError("it is no address, such as https://ray.example.com")
        return address.rstrip("/")

    @field_validator("folder")
    @classmethod
    def _is_absolute(cls, folder: str) -> str:
        if folder and not folder.startswith("/"):
            raise ValueError("it is no absolute path")
        return folder
