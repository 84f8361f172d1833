"""What the machine has."""

import os
from contextlib import suppress
from pathlib import Path

LIMIT = Path("/sys/fs/cgroup/memory.max")  # of the control group, as a container sees it (Linux, cgroup v2)


def memory(limit: Path = LIMIT) -> int:
    """Bytes that all processes here may use together."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # none, or "max"
        return min(machine, int(limit.read_text()))
    return machine
