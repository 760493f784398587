"""Precision that the hardware supports, and free memory."""

from __future__ import annotations

import os
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
