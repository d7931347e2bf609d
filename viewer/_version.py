"""The one place where the version is written; packaging and the client's build read it here."""

__version__ = "0.1.0"
