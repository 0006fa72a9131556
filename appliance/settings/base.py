"""In: nothing. Out: the base of every section: frozen, unknown keys refused, a unit and a description on every field."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the TOML file. Components get their own section only, never the whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
