"""Civic Brain: an open city brain that closes the loop, proven in a twin before the street."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("civicbrain")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
