"""What all nouns that users fill in share: their own error, and no unknown fields."""

from __future__ import annotations

import reprlib
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from taskengine.errors import InvalidInputError


class Noun(BaseModel):
    """A model that users construct: a wrong or unknown field raises InvalidInputError naming it."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, use_attribute_docstrings=False)

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_field(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as exc:
            raise _invalid(cls.__name__, exc) from exc


def _invalid(model: str, exc: ValidationError) -> InvalidInputError:
    wrong = exc.errors()[0]
    field = ".".join(str(part) for part in wrong["loc"][:2]) or model
    shown = reprlib.repr(wrong.get("input"))[:80]  # bounded also where the input is deep or holds itself
    more = f" (and {exc.error_count() - 1} more)" if exc.error_count() > 1 else ""
    return InvalidInputError(f"{model}.{field}: {wrong['msg']}, got {shown}{more}", field=field)
