"""The errors callers see: one form, `{"code", "message", "hint"}`; each class is a status and a stable code.

Problem
├── Invalid        400  what was sent can't be understood
├── Unauthorized   401  no key, or an unknown one
├── Forbidden      403  the key's role does not allow it
├── NotFound       404
├── NotAllowed     405  the address takes other methods
├── Conflict       409  it can't be done in the present state
├── TooLarge       413
└── Unavailable    503  with Retry-After: something behind is away; nothing is lost, send again
"""

from typing import Any


class Problem(Exception):
    """Something the caller can act on: a stable code, a sentence that says what is wrong, a hint what to do."""

    status = 500
    code = "internal"
    hint = "Try again; if it stays, tell the operator the time of the request."

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.hint = hint or self.hint
        self.details = details

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"code": self.code, "message": self.message, "hint": self.hint, **self.details}

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer."""
        return {}


class Invalid(Problem):
    status, code, hint = 400, "invalid", "Correct the request; sending it again unchanged will fail again."


class Unauthorized(Problem):
    status, code, hint = 401, "unauthorized", "Send a valid key; the operator makes one on the command line."

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="tellonce"'}


class Forbidden(Problem):
    status, code, hint = 403, "forbidden", "Use a key whose role allows this."


class NotFound(Problem):
    status, code, hint = 404, "not_found", "Check the address or the identifier."


class NotAllowed(Problem):
    status, code, hint = 405, "method_not_allowed", "See /docs for the addresses there are."


class Conflict(Problem):
    status, code, hint = 409, "conflict", "Read the present state and decide again."


class TooLarge(Problem):
    status, code, hint = 413, "too_large", "Send less at once."


class Unavailable(Problem):
    status, code, hint = 503, "unavailable", "Send the same again after the seconds in Retry-After; ids make it safe."
    retry_after = 1

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}
