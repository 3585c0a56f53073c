"""What all benchmarks here share: the line that says where they ran, and runs that take turns."""

import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import torch
import transformers


def where() -> str:
    """Date, processor, threads and versions: without them a number of seconds means nothing."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    load = f"load {Path('/proc/loadavg').read_text(encoding='utf-8').split()[0]}" if info.exists() else "load unknown"
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {name}, {torch.get_num_threads()} threads, {load}; Python "
        f"{platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"
    )


def in_turns(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each call. All run once in each round, so that what else the machine does falls on all alike."""
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            began = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def ratios(ours: list[float], theirs: list[float]) -> str:
    """How many times faster ours was, within each round: the median, and all between brackets."""
    each = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    return f"{median(each):.2f} [{each[0]:.2f} to {each[-1]:.2f}]"
