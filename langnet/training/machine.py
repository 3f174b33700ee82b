"""What this machine is, and the settings without which training on it is slow.

Everything here changes speed, never results on the same machine.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys

import torch

# mallopt's parameter numbers, from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP_BELOW = 2**30  # bytes; mallopt takes a C int, and the mmap threshold is capped at half of it on some versions


@functools.cache
def keep_freed_memory() -> bool:
    """Tell glibc's allocator to keep freed memory instead of giving it back to the kernel; True where that worked.

    By default every tensor over 32 MB is mapped anew and page-faulted again at each step, which makes training on a CPU
    1.3 to 3.8 times slower. Other C libraries (macOS, musl, Windows) are left as they are.
    """
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_M_MMAP_THRESHOLD, _KEEP_BELOW) and libc.mallopt(_M_TRIM_THRESHOLD, _KEEP_BELOW))


@functools.cache
def processor_flags() -> frozenset[str]:
    """The instruction-set flags of this processor, as Linux names them; empty elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="utf8", errors="replace") as lines:
            for line in lines:
                if line.startswith(("flags", "Features")):
                    return frozenset(line.split(":", 1)[1].split())
    except OSError:
        pass
    return frozenset()


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 run in hardware: on a CPU only with AMX, AVX-512 BF16 or Arm's BF16.

    A processor without them emulates bfloat16 some ten times slower than float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return bool(processor_flags() & {"amx_bf16", "avx512_bf16", "bf16"})
    return False


def default_precision(device: torch.device) -> str:
    """`bf16` where the device multiplies in bfloat16, else `no` (float32)."""
    return "bf16" if has_fast_bfloat16(device) else "no"


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """A context in which the device multiplies as a run of this precision does: `auto`, `no` or `bf16`."""
    chosen = default_precision(device) if precision == "auto" else precision
    return torch.autocast(device.type, torch.bfloat16, enabled=chosen == "bf16")


def default_device() -> torch.device:
    """CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe_machine() -> str:
    """One line for cards and reports: device, threads, precision, versions."""
    device = default_device()
    name = torch.cuda.get_device_name() if device.type == "cuda" else _processor_name()
    cores = os.cpu_count()
    return (
        f"{name}, {cores} cores, {torch.get_num_threads()} threads, precision {default_precision(device)}, "
        f"PyTorch {torch.__version__}, Python {platform.python_version()}, {platform.system()}"
    )


def _processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
