"""The options of each command, and its start.

Each module has a ``DESCRIPTION``, ``add_options(parser)`` and ``run(options)``, which returns the
exit status. What a command does is imported when it is run: its help needs none of that.
"""
