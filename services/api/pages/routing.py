"""Pages answer errors as pages; who is not signed in is told how to."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import DataError, SQLAlchemyError

from services.api.backing import Back, backing
from services.api.callers import SAFE
from services.api.pages.rendering import page
from services.database import is_away
from services.errors import Forbidden, Invalid, NotFound, Problem, Unauthorized, Unavailable

UNSAVED = Unauthorized(
    "You are not signed in.",
    hint="Nothing was saved. Sign in, in another tab, and load this page again: what you wrote is sent once more.",
)
AWAY = Unavailable(
    "The database does not answer.", code="database_away", hint="Load the page again in a moment; nothing is lost."
)
UNFIT = Invalid(
    "The database can't take a value that was sent.",
    code="invalid_value",
    hint="Go back and leave out what is no character or no time.",
)


class PageRoute(APIRoute):
    """A route whose problems are drawn. Where something was sent, loading the answer again sends it once more."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with its problems caught."""
        handler = super().get_route_handler()

        async def drawn(request: Request) -> Response:
            try:
                return await handler(request)
            except Unauthorized:
                if request.method in SAFE:
                    return RedirectResponse("/sign-in", 303)
                return _draw(request, UNSAVED)
            except RequestValidationError as error:
                return _draw(request, _problem(error))
            except Problem as problem:
                return _draw(request, problem)
            except DataError:
                return _draw(request, UNFIT)
            except SQLAlchemyError as error:
                if not is_away(error):
                    raise
                return _draw(request, AWAY)

        return drawn


def own_page(request: Request, back: Back) -> None:
    """Refuse a form that another site sends (browsers say by Origin where a form stands). Raises Forbidden."""
    public = back.settings.public_url
    own = {request.headers.get("host"), urlsplit(public).netloc if public else None}
    if urlsplit(request.headers.get("origin", "")).netloc not in own:
        hint = "Open the page again and repeat it. Behind a proxy, its address belongs into TELLONCE_PUBLIC_URL."
        raise Forbidden("This did not come from a page of tellonce.", code="foreign_origin", hint=hint)


OwnPage = Depends(own_page)


def _draw(request: Request, problem: Problem) -> Response:
    backing(request).measures.refused(problem)
    answer = page("problem.html", status=problem.status, message=problem.message, hint=problem.hint)
    answer.headers.update(problem.headers)
    return answer


def _problem(error: RequestValidationError) -> Problem:
    first = error.errors()[0]
    if first["loc"][0] == "path":
        return NotFound("There is no such page.")
    return Invalid(f"{first['loc'][-1]}: {first['msg']}.", hint="Go back and correct it.")
