"""``python -m proveskill``."""

import sys

from proveskill.cli import main

sys.exit(main())
