"""Configuration of the documentation site: ``make docs``."""

import sys
from pathlib import Path

from proveskill.site.configuration import *  # noqa: F403 - that is what it is for
from proveskill.site.configuration import extensions

sys.path.insert(0, str(Path(__file__).parent))

project = "SQLSpec with psqlpy, proven"
html_title = project
extensions = [*extensions, "measured"]
