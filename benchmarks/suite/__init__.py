"""The benchmark suite: contenders, regimes, the runner, and what reads its results."""
