"""Lines of no more points than paper can show. Peaks stay: of each stretch, its lowest and its highest are kept."""

import numpy as np

STRETCHES = 700  # about as many as a line has pixels' width for


def stretches(count: int) -> np.ndarray:
    """Where each stretch of so many points begins."""
    return np.arange(0, count, max(1, -(-count // STRETCHES)))


def thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The line as it was, or with two points for every stretch of it."""
    if len(x) <= 2 * STRETCHES:
        return x, y
    starts = stretches(len(x))
    ends = np.column_stack([np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)])
    return np.repeat(x[starts], 2), ends.ravel()
