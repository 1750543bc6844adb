"""What the numbers belong to: the machine, and the versions of what was measured."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("numpy", "torch", "jax", "jaxlib", "scikit-learn")


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, and the GPU with its driver; no name that is private."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": _output("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"),
    }


def versions() -> dict[str, str]:
    """Python, NumPy's BLAS, the C++ compiler, and each package that is installed."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    found = {
        "Python": platform.python_version(),
        "BLAS of NumPy": f"{blas['name']} {blas['version']}",
    }
    if compiler := _output("g++", "-dumpfullversion"):
        found["g++"] = compiler
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        match = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if match:
            return match[1]
    return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()


def _output(*command: str) -> str:
    """What a program prints, or nothing where it is not there."""
    if not shutil.which(command[0]):
        return ""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else ""
