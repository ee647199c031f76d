"""``channels`` in skill.yaml: what the channels say of a pack that its skills do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Channels:
    """Who publishes a pack, and how listings show it."""

    owner: str
    email: str | None = None
    url: str | None = None
    """Of the owner."""
    title: str | None = None
    """The name that listings show; None: the pack's name."""
    category: str = "Development"
    homepage: str | None = None
    repository: str | None = None
    keywords: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    """What a user may ask for, as listings suggest it."""

    @property
    def author(self) -> dict[str, str]:
        """The owner as the manifests of plugins name one."""
        fields = {"name": self.owner, "email": self.email, "url": self.url}
        return {key: value for key, value in fields.items() if value}


def read_channels(data: dict[str, Any] | None) -> Channels | None:
    """Return the settings of the key ``channels``, which the schema has checked."""
    if data is None:
        return None
    values = dict(data)
    owner = values.pop("owner")
    for key in ("keywords", "prompts"):
        values[key] = tuple(values.get(key, ()))
    return Channels(owner=owner["name"], email=owner.get("email"), url=owner.get("url"), **values)
