"""The command `python -m job_queue`."""

from program import run

if __name__ == "__main__":
    run("job_queue.command")
