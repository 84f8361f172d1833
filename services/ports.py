"""TCP ports to listen on."""

import http.client
import socket
import time

from services.errors import Conflict


def check(host: str, port: int, flag: str, seconds: float = 0) -> None:
    """Raise Conflict, which names the flag, when a port can't be listened on, nor so many seconds later."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with socket.create_server((host, port), family=_family(host)):
                return
        except OSError as error:
            if time.monotonic() >= deadline:
                raise Conflict(
                    f"Port {port} of {host} can't be used: {error.strerror}.",
                    code="port_taken",
                    hint=f"Choose another by {flag}.",
                ) from None
        time.sleep(0.1)


def shared(host: str, port: int) -> socket.socket:
    """A socket that listens on a port along with those of other processes; the kernel spreads connections evenly."""
    return socket.create_server((host, port), family=_family(host), reuse_port=True)


def free(host: str, wanted: int) -> int:
    """The port that is wanted, or any other that is free."""
    for port in (wanted, 0):
        try:
            with socket.create_server((host, port), family=_family(host)) as server:
                found: int = server.getsockname()[1]
                return found
        except OSError:
            continue
    return wanted


def reachable(host: str) -> str:
    """A host to connect to, for one to listen on."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def readiness(host: str, port: int) -> tuple[bool, str]:
    """Whether what listens there is ready (`/readyz`), and what it says."""
    try:
        connection = http.client.HTTPConnection(reachable(host).strip("[]"), port, timeout=2)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status == http.client.OK, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return False, str(error)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
