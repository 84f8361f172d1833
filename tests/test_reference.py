"""The page on a service's calls: all of them, and nothing from elsewhere."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from fastapi import FastAPI
from fastapi.testclient import TestClient

from services import reference
from services.api.app import create_app as api
from services.ingest.app import create_app as ingest
from services.settings import Settings
from tests.fakes import MemoryLog

Make = Callable[[Settings, str, MemoryLog], FastAPI]


@pytest.fixture(params=[api, ingest], ids=["api", "ingest"])
def app(request: pytest.FixtureRequest, log: MemoryLog) -> FastAPI:
    make: Make = request.param
    return make(Settings(), "postgresql://stand-in", log)


def test_it_tells_every_call_and_every_schema_and_its_links_lead_somewhere(app: FastAPI) -> None:
    told, page = app.openapi(), BeautifulSoup(TestClient(app).get("/docs").text, "html.parser")
    calls = {f"{method.upper()} {path}" for path, each in told["paths"].items() for method in each}
    assert {one.text for one in page.select("section code.call")} == calls
    ids = {str(one["id"]) for one in page.select("[id]")}
    assert ids >= told["components"]["schemas"].keys()
    links = {str(one["href"]) for one in page.select("a")}
    assert links == {"openapi.json"} | {link for link in links if link.removeprefix("#") in ids}


def test_it_runs_no_script_and_loads_nothing(app: FastAPI) -> None:
    answer = TestClient(app).get("/docs")
    assert BeautifulSoup(answer.text, "html.parser").select("script, link, img, iframe, [src]") == []
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert TestClient(app).get("/redoc").status_code == 404


def test_what_is_described_never_becomes_markup() -> None:
    evil = "<script>`alert(1)`</script>"
    assert reference.words(f"{evil}\n\n{evil}") == (
        "<p>&lt;script&gt;<code>alert(1)</code>&lt;/script&gt;</p>" * 2
    )  # fmt: skip
    assert "<script>" not in reference.kind({"enum": [evil]}) + reference.kind({"$ref": evil, "title": evil})
