"""How pytest-xdist hands out fences: a section as a whole, everything else one by one."""

from __future__ import annotations

from xdist.scheduler.loadscope import LoadScopeScheduling


class SectionScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Scopes are sections for fences and single items for all other tests."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, rest = nodeid.partition("::")
        return nodeid.rpartition("::")[0] if file.endswith(".md") and rest else nodeid
