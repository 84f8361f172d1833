"""Others' wire formats, one file each; a vendor is registered by being here."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from services.ingest.sources.vendor import Vendor


@cache
def vendors() -> dict[str, Vendor]:
    """All vendors by name."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return {vendor.name: vendor for module in modules for vendor in getattr(module, "VENDORS", ())}
