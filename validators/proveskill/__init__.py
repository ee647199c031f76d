"""Run and prove every fence of an Agent Skill against a real PostgreSQL."""
