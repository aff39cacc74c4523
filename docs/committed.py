"""Committed pictures, of runs that a build does not repeat, in colours for light and for dark pages."""

from __future__ import annotations

from pathlib import Path

from pictures import INK

ROOT = Path(__file__).resolve().parent.parent
PICTURES = {
    "ecg": ROOT / "docs" / "_static" / "ecg.svg",  # docs/examples/lstm_torch.py
    "imports": ROOT / "docs" / "_static" / "imports.svg",  # docs/imports.py
    "speed": ROOT / "benchmarks" / "results" / "speed.svg",
    "growth": ROOT / "benchmarks" / "results" / "growth.svg",
}
BLACKS = ("#000000", "#444444")


def write(folder: Path) -> None:
    """Write each picture twice: without its white ground, and with lines and text in the colour of the page's text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in PICTURES.items():
        for theme, ink in INK.items():
            (folder / f"{name}.{theme}.svg").write_text(recolour(path.read_text(), ink))


def recolour(picture: str, ink: str) -> str:
    """Clear what is white, and give what is black, or has no colour of its own, the colour of ink."""
    for white in ('fill="#ffffff"', "fill: #ffffff"):
        picture = picture.replace(white, white.replace("#ffffff", "none"))
    for black in BLACKS:
        picture = picture.replace(black, ink)
    return picture.replace("<svg ", f'<svg fill="{ink}" ', 1)
