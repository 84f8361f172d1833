"""The example of each type of event, as it is on the wire."""

import json
from importlib import resources
from typing import Any

FOLDER = resources.files("schemas") / "examples"
EXAMPLES: dict[str, dict[str, Any]] = {
    file.name.removesuffix(".json"): json.loads(file.read_text("utf-8"))
    for file in sorted(FOLDER.iterdir(), key=lambda file: file.name)
}
