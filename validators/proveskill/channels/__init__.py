"""What assistants and their installers read, made from ``skill.yaml`` and the skills themselves."""
