"""Pictures with boxes, which chapters on detection draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples.chapter import picture


def rectangle(axes: Any, box: Any, color: str, size: int, text: str = "") -> None:
    """A box (left, top, right, bottom), from 0 to 1, over a picture of so many pixels, with a text at its corner."""
    from matplotlib.patches import Rectangle

    left, top, right, bottom = (float(one) * size - 0.5 for one in box)
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=color, linewidth=2))
    if text:
        axes.text(left, top, text, color="white", backgroundcolor=color, fontsize=8, va="bottom")


def show_boxes(path: Path, images: Any, boxes: Sequence[Any], color: str, texts: Sequence[Any] | None = None) -> None:
    """Pictures (n, 3, size, size) side by side, each with its boxes and, where there are some, their texts."""
    with picture(path, 1, len(images), (3 * len(images), 3.3), layout="constrained") as axes:
        for number, place in enumerate(axes):
            place.imshow(images[number].transpose(1, 2, 0))
            place.axis("off")
            for i, box in enumerate(boxes[number]):
                rectangle(place, box, color, images.shape[-1], texts[number][i] if texts else "")
