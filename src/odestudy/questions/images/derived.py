"""Tables on images that are made of several runs, or of what others report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.questions.images.equal_error import time_to_equal_error
from odestudy.questions.images.pairs import equivalence_pairs, mcnemar_pairs
from odestudy.questions.images.published import beside_published
from odestudy.questions.images.shared_images import nets_with_images_error
from odestudy.study.load import Study

DERIVED: dict[str, Callable[[Study, str, dict[str, Any]], list[dict[str, Any]]]] = {
    "mcnemar_pairs": mcnemar_pairs,
    "equivalence_pairs": equivalence_pairs,
    "time_to_equal_error": time_to_equal_error,
    "beside_published": beside_published,
    "nets_with_images_error": nets_with_images_error,
}
