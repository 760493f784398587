"""What a machine can compute with, and how much memory it has left."""

from __future__ import annotations

import os
from pathlib import Path

import torch


def computes_bf16(kind: str) -> bool:
    """Whether a kind of device (`cpu`, `cuda`) has bfloat16; where it has not, torch imitates it, which is slow."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a device: of a GPU; of the machine, or of the container's limit where that is less."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        found.append(int(lines["MemAvailable"].split()[0]) * 1024)
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        if Path(limit).exists() and (text := Path(limit).read_text().strip()).isdecimal():
            found.append(int(text) - int(Path(used).read_text()))
    return min(found)
