"""The image's health check: exit code 0 if the service in this container is alive.

Alive, not ready: while the database or the log is away a service waits, and starting it anew would not help.
It asks whichever service is process 1, and imports nothing of tellonce, because it runs every few seconds.
"""

import os
import sys
from http.client import OK
from pathlib import Path
from urllib.request import urlopen

# "": it has one only where it is told
PORTS = {"api": "8080", "ingest": "8081", "timeline": "8082", "analyse": "8083", "mail": ""}

command = Path("/proc/1/cmdline").read_text().split("\0")
for service in PORTS.keys() & command:
    port = os.environ.get(f"TELLONCE_{service.upper()}_PORT", PORTS[service])
    if not port:
        continue
    with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=4) as answer:
        sys.exit(answer.status != OK)
