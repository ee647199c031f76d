"""The command `python -m semantic_search`."""

from program import run

if __name__ == "__main__":
    run("semantic_search.command")
