"""Real PostgreSQL servers for a run: started when needed, shared, thrown away afterwards."""

from proveskill.servers._client import Servers
from proveskill.servers._model import VARIABLES, Database, ServerError, ServerSpec
from proveskill.servers._programs import PROGRAMS_VARIABLE, client_programs

__all__ = [
    "PROGRAMS_VARIABLE",
    "VARIABLES",
    "Database",
    "ServerError",
    "ServerSpec",
    "Servers",
    "client_programs",
]
