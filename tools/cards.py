"""The picture of a page that social networks show beside a link to it, made from its front matter.

`python -m tools.cards` writes docs/cards/<page>.png for each page whose title or description has
changed. The file remembers both, so that a test can tell when it is stale without drawing it.
"""

import textwrap
from pathlib import Path

import matplotlib
from mkdocs.utils.meta import get_data
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).resolve().parent.parent
SIZE = (1200, 630)  # what networks ask for
MARGIN = 90
PAPER, INK, QUIET, BLUE = "#ffffff", "#1b2027", "#566070", "#1f4fae"  # of theme/styles/colors.css
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
KEY = "Description"  # of PNG: where the text is remembered
MOTTO = "A deep-learning glossary in which every claim runs"


def write(root: Path) -> None:
    """Draw the pictures that are missing or stale, and remove those of no page."""
    wanted = texts(root)
    for path in (root / "docs" / "cards").glob("*.png"):
        if path not in wanted:
            path.unlink()
    for path in stale(root):
        title, description = wanted[path]
        path.parent.mkdir(exist_ok=True)
        note = PngInfo()
        note.add_itxt(KEY, _remembered(title, description))
        card = draw(title, description).quantize(32)  # a fifth of the bytes, looks the same
        card.save(path, pnginfo=note, optimize=True)


def stale(root: Path) -> list[Path]:
    """The pictures that are missing, or were drawn from another title or description."""
    return [path for path, text in texts(root).items() if _text_of(path) != _remembered(*text)]


def texts(root: Path) -> dict[Path, tuple[str, str]]:
    """The title and description of every page, by the path of its picture."""
    docs = root / "docs"
    found = {}
    for page in sorted(docs.rglob("*.md")):
        meta = get_data(page.read_text(encoding="utf-8"))[1]
        if "title" in meta and "description" in meta:
            name = "-".join(page.relative_to(docs).with_suffix("").parts)
            found[docs / "cards" / f"{name}.png"] = (meta["title"], meta["description"])
    return found


def draw(title: str, description: str) -> Image.Image:
    """A card: the name of the site, the title, the definition, what the site is."""
    card = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, 18, SIZE[1]), fill=BLUE)
    pen.text((MARGIN, 70), "dlref", BLUE, _font("DejaVuSans-Bold", 34))
    pen.text((MARGIN, 155), title, INK, _font("DejaVuSans-Bold", 62))
    lines = "\n".join(textwrap.wrap(description, 52))
    pen.multiline_text((MARGIN, 265), lines, INK, _font("DejaVuSans", 34), spacing=16)
    pen.text((MARGIN, 540), MOTTO, QUIET, _font("DejaVuSans", 26))
    return card


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / f"{name}.ttf"), size)


def _text_of(path: Path) -> str:
    """What a picture remembers; nothing where there is none."""
    if not path.exists():
        return ""
    with Image.open(path) as card:
        return str(card.info.get(KEY, ""))


def _remembered(title: str, description: str) -> str:
    return f"{title}: {description}"


if __name__ == "__main__":
    write(ROOT)
