"""A program that owns servers, for tests which end it in rough ways.

`owner.py SPEC`: SPEC as JSON. Prints one line of JSON (run directory, URL of a database) once
a database is there, then waits for the end of its standard input.
"""

import json
import os
import sys
from pathlib import Path

from proveskill.servers import Servers, ServerSpec

servers = Servers(ServerSpec.from_json(json.loads(sys.argv[1])))
servers.share()
database = servers.create_database()
run = Path(os.environ["PROVESKILL_KEEPER"]).parent
print(json.dumps({"run": str(run), "name": database.name, "url": database.url}), flush=True)
sys.stdin.read()
servers.close()
