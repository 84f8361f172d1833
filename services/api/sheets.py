"""Answers as sheets of rows and columns: CSV and Parquet."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from fastapi import Header, Query, Response
from pydantic import BaseModel

from services.counts import WINDOWS

Format = Literal["json", "csv", "parquet"]
TYPES: dict[str, Format] = {"text/csv": "csv", "application/vnd.apache.parquet": "parquet"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run it (OWASP, CSV Injection)
SHEETS: dict[int | str, dict[str, Any]] = {200: {"content": {
    "text/csv": {"example": "from,to,value,contacts\r\n2026-11-01,2026-11-30,phone,1200\r\n"},
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
}}}  # fmt: skip


def wanted(
    format: Annotated[Format | None, Query(description="Else by `Accept`; `csv` and `parquet` are sheets.")] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Format:
    """In which form an answer is wanted."""
    if format:
        return format
    told = (one.partition(";")[0].strip() for one in accept.split(","))
    return next((TYPES[one] for one in told if one in TYPES), "json")


def told(
    format: Format, name: str, whole: BaseModel, kind: type[BaseModel], rows: Sequence[BaseModel]
) -> Response:
    """An answer as it is wanted. JSON is written at once: checking a megabyte of it again took most of the time."""
    if format == "json":
        return Response(whole.model_dump_json(by_alias=True), media_type="application/json")
    return sheet(format, name, kind, rows)


def sheet(format: Format, name: str, kind: type[BaseModel], rows: Sequence[BaseModel]) -> Response:
    """Rows as a file: a column for each number, those of windows by their days; the same whatever the rows."""
    names = list(columns(kind))
    found = [flat(row.model_dump(mode="json", by_alias=True)) for row in rows]
    cells = [[row.get(name) for name in names] for row in found]
    content = _csv(names, cells) if format == "csv" else _parquet(names, cells)
    media = next(media for media, known in TYPES.items() if known == format)
    return Response(content, media_type=media, headers={
        "Content-Disposition": f'attachment; filename="{name}.{format}"'
    })  # fmt: skip


def columns(kind: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The names that rows of a kind have when they are flat, also where parts of theirs are null."""
    for name, field in kind.model_fields.items():
        told, inner = field.serialization_alias or name, _inner(field.annotation)
        if inner is None:
            yield f"{prefix}{told}"
        elif get_origin(field.annotation) is list:
            for days in WINDOWS:
                yield from (one for one in columns(inner, f"{prefix}{days}_") if one != f"{prefix}{days}_days")
        else:
            yield from columns(inner, f"{prefix}{told}_")


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, or holds a list of, or null instead of."""
    parts = (annotation, *get_args(annotation))
    return next((one for one in parts if isinstance(one, type) and issubclass(one, BaseModel)), None)


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested names joined; a list of windows as `7_…`, `14_…`, of words as one text."""
    found: dict[str, Any] = {}
    for name, part in value.items():
        if isinstance(part, dict):
            found |= flat(part, f"{prefix}{name}_")
        elif isinstance(part, list) and part and isinstance(part[0], dict):
            for one in part:
                found |= flat({key: inner for key, inner in one.items() if key != "days"}, f"{prefix}{one['days']}_")
        else:
            found[f"{prefix}{name}"] = "; ".join(part) if isinstance(part, list) else part
    return found


def _csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _parquet(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    import pyarrow as pa  # a quarter of a second and tens of megabytes, so only where somebody asks for it
    from pyarrow import parquet

    out = pa.BufferOutputStream()
    table = pa.table([pa.array([row[place] for row in rows]) for place in range(len(names))], names=list(names))
    parquet.write_table(table, out)
    written: bytes = out.getvalue().to_pybytes()
    return written
