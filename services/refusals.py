"""Errors as HTTP answers: whatever went wrong, in the one form."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from services.errors import Invalid, Problem


def install(app: FastAPI, seen: Callable[[Problem], None] = lambda problem: None) -> None:
    """Answer every error of an application in the one form; `seen` is told of each that has a code of ours."""

    def answer(problem: Problem) -> JSONResponse:
        seen(problem)
        return JSONResponse(problem.body, problem.status, headers=problem.headers)

    async def on_problem(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return answer(error)

    async def on_validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return answer(Invalid(f"{where}: {first['msg']}", code="invalid_parameter"))

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = {404: "no_such_address", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        body = {"code": code, "message": str(error.detail), "hint": "See /docs for the addresses there are."}
        return JSONResponse(body, error.status_code, headers=error.headers)

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
