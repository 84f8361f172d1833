"""The rules of the house: who may import whom, what stays pure, how long anything may be, and that tables fit."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.tables import metadata

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for top in ("schemas", "services")
    for path in (ROOT / top).rglob("*.py")
    if "migrations" not in path.parts
}
PURE = [
    "schemas.event", "schemas.types", "schemas.codec", "services.identifiers", "services.timeline.identity",
    "services.timeline.interactions", "services.timeline.arrivals", "services.api.briefs", "services.api.descriptions",
    "services.api.oddities", "services.ingest.cloudevents", "services.ingest.trial", "services.hypertext",
    "services.timeline.text", "services.cards", "services.masking", "services.timeline.statements",
    "services.timeline.similarity", "services.timeline.issues", "services.timeline.repeats", "services.timeline.facts",
    "services.timeline.findings", "services.timeline.unions", "services.timeline.outcomes", "services.timeline.tally",
    "services.timeline.groups", "services.api.matters", "services.api.rates", "services.api.spans",
    "services.api.measured", "services.timeline.averaging", "services.timeline.comparisons",
    "services.timeline.words", "services.api.likely", "services.api.familiar",
    *(module for module in MODULES if module.startswith("services.ingest.sources.")),
]  # fmt: skip
SHELL = {
    "sqlalchemy",
    "psycopg",
    "kafka",
    "fastapi",
    "starlette",
    "uvicorn",
    "requests",
    "socket",
    "subprocess",
    "asyncio",
}


def imports(module: str) -> set[str]:
    """What a module imports, as written anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return found


def reached(module: str) -> set[str]:
    """All that a module imports, and what that does."""
    seen, ahead = set(), [module]
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        ahead += imports(name) if name in MODULES else []
    return seen - {module}


def within(names: set[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("schemas")])
def test_the_contract_imports_nothing_of_ours_but_itself(module: str) -> None:
    assert not within(imports(module), "services")


@pytest.mark.parametrize(
    ("package", "stranger"),
    [
        ("services.ingest", "services.timeline"), ("services.timeline", "services.ingest"),
        ("services.ingest", "services.api"), ("services.timeline", "services.api"), ("services.api", "services.ingest"),
        ("services.eventlog", "services.timeline"), ("services.eventlog", "services.ingest"),
    ],
)  # fmt: skip
def test_rooms_keep_to_themselves(package: str, stranger: str) -> None:
    crossing = {module: within(reached(module), stranger) for module in MODULES if within({module}, package)}
    assert not {module: names for module, names in crossing.items() if names}


@pytest.mark.parametrize("module", PURE)
def test_decisions_reach_no_input_or_output(module: str) -> None:
    assert not {name for name in reached(module) if name.split(".")[0] in SHELL}


def functions() -> Iterator[tuple[str, int]]:
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                yield f"{module}.{node.name}", node.end_lineno - node.lineno + 1


def test_nothing_grows_too_long_to_be_read_at_once() -> None:
    assert not {module: lines for module, path in MODULES.items() if (lines := path.read_text().count("\n")) > 300}
    assert not {name: lines for name, lines in functions() if lines > 40}


def test_migrations_and_tables_agree(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
