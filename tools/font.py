"""Make theme/fonts/latin-modern-math*.woff2: python tools/font.py latinmodern-math.otf"""

import sys
from pathlib import Path

from fontTools import subset  # type: ignore[import-untyped]

FOLDER = Path(__file__).parents[1] / "theme/fonts"
FAMILY, POSTSCRIPT = "Dlref Math", "DlrefMath-Regular"
CHANGES = (
    "Modified version of Latin Modern Math 1.959, not supported by its authors: a subset made "
    "for dlref by tools/font.py. The original is at https://ctan.org/pkg/lm-math. "
)
# What a formula can contain. Tall brackets, roots, sums and braces have no code point of their
# own: fontTools keeps them because the MATH table names them.
RANGES = """
20-7E,A0,A8,AC,AF-B1,B4,B7,D7,F7        ASCII, and the signs of Latin-1 that TeX names
131,237,2C6-2DD,300-30C,332-338         dotless i and j, and accents to put over them
391-3F5,2100-214F,20D0-20E1             Greek; R, script L, ell, aleph; vector arrows
2010-2064                               dashes, dots, double bar, primes, invisible operators
2190-21FF,27F4-27FF,25A0-25FF,2713      arrows, squares, triangles, check mark
2200-22FF,27C2,2A00-2AFF                operators and relations
2308-230B,2320-23E1,27E6-27EF           floor, ceiling, angle brackets, parts of brackets, braces
1D400-1D503,1D538-1D56B,1D5A0-1D5D3     bold, italic, script; double-struck; sans serif
1D670-1D6A5,1D6A8-1D755,1D7CE-1D7E1     typewriter; bold and italic Greek; bold, double digits
"""
# What nearly every formula is made of: 46 kB. theme/styles/fonts.css names the same ranges, and a
# browser loads the rest, 92 kB, only for a page that has a sign of it.
COMMON = """
20-7E,A0,AC,B1,B7,D7,F7,131,237,2C6-2DD,302-30C,391-3F5,2013,2014,2016,2018-201D,2020,2026,2032,2033,
2061-2064,2102,210E,2112,2115,211D,2124,2190-2195,21A6,21D0-21D4,2200,2202,2203,2205-2209,220F,
2211-2213,2217,2218,221A,221D,221E,2223,2225,2227-222B,223C,2245,2248,2260,2261,2264,2265,226A,226B,
2282,2283,2286,2287,2295,2297,2299,22A4,22A5,22C5,22EE,22EF,22F1,2308-230B,27E8,27E9,1D400-1D467,
1D53C,1D6FC-1D71B
"""


def main(source: str) -> None:
    unicodes = ",".join(line.split()[0] for line in RANGES.strip().splitlines())
    every = set(subset.parse_unicodes(unicodes))
    common = set(subset.parse_unicodes("".join(COMMON.split())))
    write(source, common, FOLDER / "latin-modern-math.woff2")
    write(source, every - common, FOLDER / "latin-modern-math-rare.woff2")


def write(source: str, unicodes: set[int], target: Path) -> None:
    # ssty, shapes for small scripts, would add 130 kB; Chromium draws the same without it.
    options = subset.Options(flavor="woff2", hinting=False, layout_features=[])
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)
    # Browsers keep every subscript this far below what it hangs on, TeX only below what is not a
    # letter. With 200 of 1,000, the n of y_n hangs far too low.
    font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value = 50

    # The license asks that a modified font has another name and says what was changed.
    notice = CHANGES + font["name"].getDebugName(0)
    for key, text in {0: notice, 1: FAMILY, 3: POSTSCRIPT, 4: FAMILY, 6: POSTSCRIPT}.items():
        font["name"].setName(text, key, 3, 1, 0x409)
    font["CFF "].cff.fontNames = [POSTSCRIPT]
    top = font["CFF "].cff.topDictIndex[0]
    top.FamilyName, top.FullName, top.Notice = FAMILY, FAMILY, notice
    subset.save_font(font, str(target), options)


if __name__ == "__main__":
    main(sys.argv[1])
