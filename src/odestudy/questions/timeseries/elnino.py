"""Monthly sea-surface temperatures of the eastern Pacific (Nino 1+2, 1950 to 2010), as statsmodels ships them."""

from __future__ import annotations

import numpy as np
import torch

from odestudy.datasets.embedded import embedded_table
from odestudy.questions.timeseries.series import Series

MONTHS = 24  # in the window; as many follow it
MONTHS_A_UNIT = 2  # of time: a year turns about once around in six, as the spirals do
ELNINO_SHA256 = "5beca37c8ffac2f51e42bfd7d2584ec47205d4d4a683a101836caff702897898"
TRAIN_YEARS = 40  # 1950 to 1989; the years after are for the test


def temperatures() -> np.ndarray:
    """Degrees Celsius, (years, 12); read without importing statsmodels.

    Raises:
        DataError: statsmodels is not installed, or its file is damaged.
    """
    table = embedded_table(
        "statsmodels", "statsmodels", "datasets/elnino/elnino.csv", ELNINO_SHA256, skip_rows=1
    )
    return table[:, 1:]


def elnino(part: str, observed: int, rng: np.random.Generator) -> tuple[Series, np.ndarray, np.ndarray]:
    """Windows of 24 months with random gaps, one from every month of the part's years; time in two months.

    Values are standardised by the training years. The noise is unknown, so the truth is the series itself.

    Args:
        part: train or test.
        observed: months of the window that a model is shown.

    Returns:
        the series, and what the mean of each calendar month over the training years says at inner and outer times.
    """
    table = temperatures()
    mean, std = table[:TRAIN_YEARS].mean(), table[:TRAIN_YEARS].std()
    years = {"train": table[:TRAIN_YEARS], "test": table[TRAIN_YEARS:]}[part]
    values = (years.reshape(-1) - mean) / std
    climate = (table[:TRAIN_YEARS].mean(0) - mean) / std
    starts = np.arange(len(values) - 2 * MONTHS + 1)[:, None]
    order = rng.permuted(np.tile(np.arange(1, MONTHS - 1), (len(starts), 1)), axis=1)
    ends = np.tile([0, MONTHS - 1], (len(starts), 1))  # observed, so that every gap lies inside
    seen = np.sort(np.concatenate([ends, order[:, : observed - 2]], 1), axis=1)
    inner = np.sort(order[:, observed - 2 :], axis=1)
    outer = np.tile(np.arange(MONTHS, 2 * MONTHS), (len(starts), 1))
    arrays: list[np.ndarray] = []
    for months in (seen, inner, outer, np.tile(np.arange(2 * MONTHS), (len(starts), 1))):
        arrays += [months / MONTHS_A_UNIT, values[starts + months][..., None]]
    t, x, inner_t, at_inner, outer_t, at_outer, *whole = map(torch.from_numpy, arrays)
    series = Series(t, x, inner_t, at_inner, at_inner, outer_t, at_outer, at_outer, *whole)
    return series, climate[(starts + inner) % 12][..., None], climate[(starts + outer) % 12][..., None]
