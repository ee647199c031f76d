"""The samples of a run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Line:
    """The samples of one contender's way in one regime, on one loop, a sample a round.

    Samples of lines of the same regime and loop with the same index are of the same round.
    """

    loop: str
    group: str
    regime: str
    title: str
    contender: str
    label: str
    loops: int = 1
    unit: str = "second"
    size: int = 0
    warmups: list[float] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Contender and way, for people."""
        return f"{self.contender}, {self.label}" if self.label else self.contender
