"""What an execution used of a provider's service: what bills. The counters of :class:`Usage` are for people.

Money has its place beside the tokens and is not filled yet: a price table changes, and a token does not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from taskengine.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests and tokens of one model, of this execution alone."""

    #: As the provider names it.
    model: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __post_init__(self) -> None:
        for each in fields(self)[1:]:
            value = getattr(self, each.name)
            if type(value) is not int or not 0 <= value < 2**53:
                raise InvalidInputError(
                    f"Spent.{each.name} is {value!r:.40}; use a whole number from 0", field=each.name
                )

    @property
    def tokens(self) -> int:
        """All tokens together, as caps count them."""
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens

    def plus(self, other: Spent) -> Spent:
        """Return both together; of the same model."""
        numbers = (getattr(self, f.name) + getattr(other, f.name) for f in fields(self)[1:])
        return Spent(self.model, *numbers)
