"""Options that `odestudy fit` and `odestudy density` share, and whole numbers as all commands read them."""

from __future__ import annotations

import argparse

DEVICES = ("cpu", "cuda", "auto")


def shared_options(parser: argparse.ArgumentParser, iterations: int) -> None:
    """--columns, --iterations, --seed and --device."""
    parser.add_argument(
        "--columns", default=None, help="the columns to take, separated by commas; all otherwise"
    )
    parser.add_argument(
        "--iterations", type=positive, default=iterations, help=f"training steps ({iterations})"
    )
    parser.add_argument(
        "--seed", type=whole, default=0, help="of all that is random; the same seed, the same files (0)"
    )
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="cpu",
        help="where to train; nets this small are fast on a cpu (cpu)",
    )


def whole(text: str) -> int:
    """A whole number that is not negative, of few enough digits for a seed."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r}; wanted: a whole number from 0 to 999999999")
    return int(text)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; wanted: a whole number of at least 1")
    return int(text)
