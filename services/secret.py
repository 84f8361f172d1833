"""Secrets in files that their owner alone can read."""

import os
import secrets
from pathlib import Path


def kept(path: Path, prefix: str = "") -> str:
    """The secret in a file, made at the first time: 256 bits of chance behind a prefix."""
    if not path.exists():
        write(path, prefix + secrets.token_urlsafe(32))
    return path.read_text()


def write(path: Path, text: str) -> None:
    """Whole or not at all, readable for its owner alone."""
    scratch = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    scratch.rename(path)
