"""Loads Parquet files of any size into a PostgreSQL table by COPY, as an upsert."""
