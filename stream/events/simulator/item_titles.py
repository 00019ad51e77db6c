"""Made-up titles of the shop's items: those of one taste sound alike."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from stream.events.clicks.event_columns import EventColumns
from stream.events.simulator.truth import SimulatorTruth

_WORDS: Final = """
red blue green yellow black white grey pink purple orange brown golden silver ivory crimson
olive striped dotted checked plain simple small large tall wide slim light heavy soft sturdy
round square folding hanging little giant classic modern rustic old new Nordic Alpine coastal
travel winter summer spring autumn Sunday evening morning weekend handmade painted woven
polished recycled shiny quiet lucky
"""
_KINDS: Final = tuple(_WORDS.split())
_THEMES: Final = """
mug, teapot, bowl, plate, jug, tray, coaster, kettle, ladle, cup, spoon, butter dish

spade, rake, watering can, flower pot, trowel, hedge shears, hose, seed box, planter, wheelbarrow,
bird feeder, garden bench

bicycle, saddle, bell, pannier, helmet, bike lamp, pump, mudguard, bike lock, handlebar,
bottle cage, cycling cap

notebook, fountain pen, pencil case, ruler, diary, ink pot, eraser, envelope, stamp, bookmark,
desk lamp, paper tray

teddy bear, kite, puzzle, toy train, building set, yo-yo, doll's house, spinning top, toy boat,
board game, marble run, rocking horse

guitar, violin, drum, flute, harmonica, music stand, metronome, ukulele, trumpet, tambourine,
keyboard, tuning fork

tent, sleeping bag, camp stove, rucksack, lantern, compass, hammock, thermos, map case, tarpaulin,
head lamp, camp chair

scarf, cardigan, pair of socks, woolly hat, pullover, glove, cape, waistcoat, shawl, dressing gown,
beret, belt

paint box, easel, sketch pad, brush, palette, canvas, picture frame, charcoal set, apron,
pastel set, stencil, varnish

cake tin, rolling pin, whisk, mixing bowl, cookie cutter, oven glove, kitchen scale, sieve,
pastry brush, bread basket, muffin tray, cake stand

hammer, screwdriver, saw, spanner, tool box, spirit level, drill, chisel, workbench,
pair of pliers, tape measure, plane

towel, soap dish, bath mat, sponge, bathrobe, hair brush, mirror, toothbrush, shower curtain,
laundry basket, candle, hot-water bottle
"""
_THINGS: Final = tuple(
    tuple(" ".join(theme.split()).split(", ")) for theme in _THEMES.split("\n\n")
)


def item_title(number: int, taste: int) -> str:
    """Return the title of an item; no two items of a shop have the same.

    Parameters
    ----------
    number
        Of the item.
    taste
        That it belongs to; says what it is.

    Examples
    --------
    >>> [item_title(number, 0) for number in (0, 12, 24, 12_012)]
    ['Red mug', 'Silver mug', 'Wide mug', 'Polished jug, no. 17']
    """
    rest, kind = divmod(number, len(_KINDS))
    things = _THINGS[taste % len(_THINGS)]
    series, thing = divmod(rest, len(things))
    name = f"{_KINDS[kind]} {things[thing]}"
    title = f"{name[0].upper()}{name[1:]}"
    return f"{title}, no. {series + 1}" if series else title


def shop_titles(truth: SimulatorTruth) -> Iterator[tuple[str, str]]:
    """Yield each item that there is by now, with its title."""
    tastes = truth.item_tastes.tolist()
    for number, (item, taste) in enumerate(zip(truth.item_ids, tastes, strict=True)):
        yield item, item_title(number, taste)


def with_titles(
    batches: Iterable[EventColumns], truth: SimulatorTruth, path: Path
) -> Iterator[EventColumns]:
    """Pass batches on; before one is, a CSV file at `path` has the titles of all items in it.

    The file is replaced whenever there are more items, so that others may read it at any time.
    """
    written = 0
    for batch in batches:
        if len(truth.item_ids) > written:
            written = len(truth.item_ids)
            aside = path.with_name(f".{path.name}.new")
            with aside.open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(("item_id", "title"))
                rows.writerows(shop_titles(truth))
            aside.replace(path)
        yield batch
