"""Precision that the hardware supports, free memory, and the memory that a process has used."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch


def computes_bf16(kind: str) -> bool:
    """Return whether a type of device (`cpu`, `cuda`) computes in bfloat16; elsewhere torch emulates it, slowly."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def free_memory(device: torch.device) -> int:
    """Return the free bytes of a GPU, or of the machine (of the container, where its limit is lower)."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="utf-8").splitlines())
        found.append(int(lines["MemAvailable"].split()[0]) * 1024)
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        if Path(limit).exists() and (text := Path(limit).read_text(encoding="utf-8").strip()).isdecimal():
            found.append(int(text) - int(Path(used).read_text(encoding="utf-8")))
    return min(found)


def limit_primitive_cache() -> None:
    """Let oneDNN keep 64 compiled primitives and not 1,024, unless the environment states another number.

    Without padding almost every batch has a shape of its own, and a primitive is compiled for each: 200 steps of a
    small network took 1,565 MB with 1,024 primitives and 1,180 MB with 64. Call it before torch computes with oneDNN
    for the first time.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")


def peak_memory() -> int:
    """Return the peak memory of this process in bytes; 0 on Windows, which has no `resource`."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on macOS, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class PeakMemory:
    """Attributes the peak memory of this process to phases: the bytes by which each one raised it."""

    def __init__(self) -> None:
        self.raised: dict[str, int] = {}
        self._peak = 0

    def end(self, phase: str) -> None:
        """Attribute what the peak has risen by since the last call."""
        peak = peak_memory()
        self.raised[phase] = self.raised.get(phase, 0) + peak - self._peak
        self._peak = peak
