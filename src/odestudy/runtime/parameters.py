"""The typed parameters of a task: what every job has, and what pydantic holds a specification against."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Counts = Annotated[list[Count], Field(min_length=1)]
Positives = Annotated[list[Positive], Field(min_length=1)]


def one_of(names: Iterable[str]) -> AfterValidator:
    """A text that is one of some names, for names that a registry holds and no Literal can."""
    known = list(names)

    def check(value: str) -> str:
        if value not in known:
            raise PydanticCustomError("one_of", "allowed: {allowed}", {"allowed": ", ".join(known)})
        return value

    return AfterValidator(check)


class Values(BaseModel):
    """Named values; an unknown name or a value of another type is refused, and none is turned into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Parameters(Values):
    """What the specification of every job holds; the class of a task adds its own."""

    task: str = Field(description="The name of the task.")
    seeds: list[int] = Field(description="Seeds of initialisation and repetition.")
    device: str = Field("auto", description="auto, cpu or cuda.")
    threads: Count = Field(1, description="Threads of torch.")
    dtype: str = Field("float32", description="float32 or float64.")
    timed: bool = Field(False, description="Whether it measures time and therefore runs alone.")


def with_defaults(kind: type[Parameters], spec: dict[str, Any]) -> dict[str, Any]:
    """A specification with the defaults of a task's own parameters, which are part of its identity."""
    own = {name: about for name, about in kind.model_fields.items() if name not in Parameters.model_fields}
    missing = {
        name: about.get_default(call_default_factory=True)
        for name, about in own.items()
        if name not in spec and not about.is_required()
    }
    return spec | missing
