"""The command `python -m bulk_loader`."""

from program import run

if __name__ == "__main__":
    run("bulk_loader.command")
