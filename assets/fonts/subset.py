"""Makes the two font files of this directory; README.md says how to run it."""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

UNICODES = [
    *range(0x0020, 0x007F),  # Basic Latin
    *range(0x00A0, 0x0180),  # Latin-1 Supplement, Latin Extended-A
    *map(ord, "–—‘’“”•…€−"),
]


def tabular_figures(font: TTFont) -> None:
    """Makes the figures of the same width (feature `tnum`) the default ones: the PDF layout does no shaping."""
    substitutions = {}
    gsub = font["GSUB"].table
    for feature in gsub.FeatureList.FeatureRecord:
        if feature.FeatureTag == "tnum":
            for index in feature.Feature.LookupListIndex:
                for table in gsub.LookupList.Lookup[index].SubTable:
                    substitutions.update(getattr(table, "ExtSubTable", table).mapping)
    proportional = font.getBestCmap()
    tabular = {digit: substitutions[proportional[digit]] for digit in map(ord, "0123456789")}
    for cmap in font["cmap"].tables:
        if cmap.isUnicode():
            cmap.cmap.update(tabular)


def make(source: Path, target: Path) -> None:
    font = TTFont(source, recalcTimestamp=False)
    tabular_figures(font)
    options = subset.Options(
        layout_features=[], drop_tables=["GSUB", "GPOS", "GDEF", "STAT", "gasp", "prep"],
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14], glyph_names=False, hinting=False, recalc_timestamp=False,
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=UNICODES)
    subsetter.subset(font)
    font.save(target)


package, here = Path(sys.argv[1]), Path(__file__).parent
make(package / "400Regular/AtkinsonHyperlegibleNext_400Regular.ttf", here / "AtkinsonHyperlegibleNext-Regular.ttf")
make(package / "700Bold/AtkinsonHyperlegibleNext_700Bold.ttf", here / "AtkinsonHyperlegibleNext-Bold.ttf")
