"""In: a profile, a language, a mirror. Out: model files with checked hashes, ready to load."""

from appliance.catalogue.resolve import resolve

__all__ = ["resolve"]
