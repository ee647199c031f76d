"""A job queue in PostgreSQL: SKIP LOCKED, LISTEN/NOTIFY, retries, and nothing lost in a crash."""
