"""Launcher of PostgreSQL's programs: drops root, ties the program to the keeper's life.

Run as a script with bare Python, so it imports nothing of this package:
`_launch.py UID GID PARENT DIRECTORY PROGRAM [ARGUMENT...]`, where UID -1 keeps the user.
It is a program of its own because user changes clear the parent-death signal, and because
nothing but exec is safe between fork and exec of a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the program."""
    uid, gid, parent = (int(argument) for argument in arguments[:3])
    directory, program = arguments[3:5]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    # Elsewhere than on Linux a killed keeper leaves the server to the owner's close().
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
        if os.getppid() != parent:
            sys.exit("the keeper has ended")
    try:
        os.chdir(directory)
        os.execv(program, arguments[4:])
    except OSError as error:
        sys.exit(f"{error.strerror}: {error.filename or program}")


if __name__ == "__main__":
    main(sys.argv[1:])
