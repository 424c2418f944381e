"""The processor or GPU that models run on: what it can do, and how much memory is free."""

from __future__ import annotations

import os
import resource
import sys

import torch


def device() -> torch.device:
    """The GPU if there is one, NVIDIA's or Apple's, and else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def devices() -> tuple[int, str]:
    """How many devices this machine can train on, and what they are."""
    if torch.cuda.is_available():
        return torch.cuda.device_count(), "NVIDIA GPUs"
    if torch.backends.mps.is_available():
        return 1, "Apple GPU"
    return cores(), "processor cores"


def prefers_bf16() -> bool:
    """Whether the device computes faster in bfloat16: NVIDIA's since 2020, processors with instructions for it."""
    if device().type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001 - no public function says so
    return device().type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def free_memory(where: torch.device) -> int:
    """The bytes that this process may still use there."""
    if where.type == "cuda":
        return torch.cuda.mem_get_info(where)[0]
    # Linux reports free memory; elsewhere half of all memory is the estimate
    available = "SC_AVPHYS_PAGES" in os.sysconf_names
    pages = os.sysconf("SC_AVPHYS_PAGES" if available else "SC_PHYS_PAGES")
    return pages * os.sysconf("SC_PAGE_SIZE") // (1 if available else 2) // processes_here()


def peak_memory(where: torch.device) -> int:
    """The most memory in bytes that this process has used at any time, on the GPU if that is where the model is."""
    if where.type == "cuda":
        return torch.cuda.max_memory_allocated(where)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def use_all_cores() -> None:
    """Let torch use this process's share of the cores."""
    torch.set_num_threads(max(1, cores() // processes_here()))


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes_here() -> int:
    """How many processes of the job share this machine's cores and memory, as torch's launcher says."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
