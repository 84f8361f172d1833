"""How many bytes may be on their way to the log; above it callers are told at once, so memory stays bounded."""

from threading import Lock

from services.eventlog import LogUnavailable


class Budget:
    """Bytes in flight, shared by the threads of a process."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._lock = Lock()

    @property
    def limit(self) -> int:
        """Bytes in flight above which it is used up."""
        return self._limit

    @property
    def taken(self) -> int:
        """Bytes in flight now."""
        return self._taken

    def take(self, size: int) -> None:
        """Count bytes in. Raises LogUnavailable above the limit, unless nothing else is under way."""
        with self._lock:
            if self._taken and self._taken + size > self._limit:
                raise LogUnavailable(f"{self._taken} bytes are on their way to the event log, which is slow or away.")
            self._taken += size

    def give_back(self, size: int) -> None:
        """Count bytes out: they are stored, or given up."""
        with self._lock:
            self._taken -= size

    def check(self) -> None:
        """Raise LogUnavailable when it is used up."""
        if self._taken >= self._limit:
            raise LogUnavailable(f"{self._taken} bytes are on their way to the event log, which is slow or away.")
