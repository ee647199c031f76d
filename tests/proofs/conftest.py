"""What proofs share: the tools of the tests of the promises can be imported here too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "promises"))
