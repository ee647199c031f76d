"""proveskill: runs every code fence of an Agent Skill, and proves its sentences."""

from proveskill.proves import proves

__all__ = ["proves"]
