"""Bases of what the directory says and is told."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Base of immutable values."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Description(BaseModel):
    """Base of what people write: an unknown field is refused, a field left out keeps what stands, null empties it."""

    model_config = ConfigDict(extra="forbid")


class ConceptRef(Frozen):
    """A code written `system|code`, with its present label; `active` is False for a retired code."""

    code: str
    label: str
    active: bool = True
