"""What a stepper has of its tableau."""

from typing import Any


class OfTableau:
    """The tableau's name, order and nodes as the stepper's own."""

    tableau: Any

    @property
    def name(self) -> str:
        return self.tableau.name

    @property
    def order(self) -> int:
        return self.tableau.order

    @property
    def nodes(self) -> tuple[float, ...]:
        return self.tableau.c
