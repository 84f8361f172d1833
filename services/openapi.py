"""`python -m services.openapi` writes the OpenAPI of both HTTP services beside the rest of the contract."""

from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from schemas.generate import FOLDER, write
from services.eventlog.opening import open_appender
from services.settings import Settings

APPS = {"ingest": "services.ingest.app:create_app", "api": "services.api.app:create_app"}
NOWHERE = "postgresql://nowhere"  # an application connects when it starts, and here it does not start


def main(folder: Path = FOLDER) -> None:
    """Write both documents into the folder."""
    for name in APPS:
        write(folder / f"openapi.{name}.json", openapi(name))


def openapi(name: str) -> dict[str, Any]:
    """The OpenAPI of one service with every setting at its default, whatever the environment says."""
    settings = Settings.model_construct()
    appender = open_appender(settings, NOWHERE)
    try:
        document: dict[str, Any] = resolve_name(APPS[name])(settings, NOWHERE, appender).openapi()
        return document
    finally:
        appender.close()


if __name__ == "__main__":
    main()
