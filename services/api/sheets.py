"""Answers as sheets of rows and columns: CSV and Parquet."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response
from pydantic import BaseModel

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


def told(format: Format, name: str, whole: BaseModel, rows: Sequence[BaseModel]) -> Response:
    """An answer as it is wanted. JSON is written at once: checking a megabyte of it again took most of the time."""
    if format == "json":
        return Response(whole.model_dump_json(by_alias=True), media_type="application/json")
    return sheet(format, name, rows)


def sheet(format: Format, name: str, rows: Sequence[BaseModel]) -> Response:
    """Rows as a file: a column for each number, those of windows by their days."""
    told = [flat(row.model_dump(mode="json", by_alias=True)) for row in rows]
    content = _csv(told) if format == "csv" else _parquet(told)
    kind = next(kind for kind, known in TYPES.items() if known == format)
    return Response(content, media_type=kind, headers={
        "Content-Disposition": f'attachment; filename="{name}.{format}"'
    })  # fmt: skip


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


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    import pyarrow as pa  # a quarter of a second and tens of megabytes, so only where somebody asks for it
    from pyarrow import parquet

    out = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(list(rows)), out)
    written: bytes = out.getvalue().to_pybytes()
    return written
