"""Results of measurements, written by hand."""

from __future__ import annotations

from typing import Any

from fastmlp.peers.measure import Comparison, Measurement, Results
from fastmlp.peers.options import Options


def measured(library: str, threads: int | str, seconds: list[float], **others: Any) -> Measurement:
    values: dict[str, Any] = {
        "fixed_seconds": 2e-4,
        "loss_same_order": 0.5,
        "loss_random_order": 0.25,
        **others,
    }
    return Measurement(library, threads, "fit", {"fit": 1.0}, {}, 20, seconds, **values)


def results_by_hand() -> Results:
    """One case: fastmlp beside JAX, which is better with one thread, and a PyTorch that differs."""
    comparison = Comparison(
        "T",
        rows=800,
        compared_epochs=20,
        first_loss=0.7,
        variants={"fastmlp": 1, "jax": 16, "torch": 4},
        measurements=[
            measured("fastmlp", 1, [2e-6, 2e-6, 4e-6]),
            measured("jax", 1, [4e-6, 5e-6, 16e-6]),
            measured("torch", 1, [1e-3, 1e-3, 1e-3], agrees=False),
            measured("fastmlp", 2, [1e-6, 1e-6, 1e-6]),
            measured("jax", 2, [6e-6, 6e-6, 6e-6]),
            measured("fastmlp", "auto", [1e-6, 1e-6, 2e-6]),
        ],
        skipped={"onnxruntime": "it only predicts", "torch, 2 threads": "it broke"},
    )
    machine = {
        "cpu": "A processor",
        "cores": 4,
        "available_cores": 2,
        "memory_gib": 8.0,
        "system": "A system",
        "python": "3.11.0",
        "variables": {"OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "7"},
    }
    return Results(
        machine,
        {"jax": "0.10.2", "fastmlp": "0.1.0"},
        Options(rounds=3, rows=800, variants=2),
        {"start": 0.25, "end": 1.5},
        {"keras": "keras"},
        [comparison],
    )
