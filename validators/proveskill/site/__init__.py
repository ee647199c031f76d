"""A site of a pack: its Markdown, and what a report says of every fence and sentence of it.

``evidence`` and ``proof_sources`` know nothing of Sphinx; ``extension`` is the Sphinx extension,
``configuration`` what a ``conf.py`` starts from, ``build`` puts all together.
"""
