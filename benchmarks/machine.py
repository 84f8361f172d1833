"""The machine and the programs that figures were measured with: figures without it say nothing."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from services import machine, programs
from tests import brokers


def described() -> dict[str, str | int | float]:
    """Its cores, memory and processor, and the versions of what runs on it."""
    processor = re.search(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": os.cpu_count() or 0,
        "processor": processor[1] if processor else platform.processor(),
        "memory_gb": round(machine.memory() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "postgresql": _postgresql(),
        "kafka": _kafka(),
    }


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text() if file.exists() else ""


def _postgresql() -> str:
    server = programs.folder(programs.account()) / "postgres"
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[-1]


def _kafka() -> str:
    found = re.search(r"kafka_[\d.]+</artifactId>\s*<version>([\d.]+)", (brokers.HERE / "pom.xml").read_text())
    return found[1] if found else "unknown"
