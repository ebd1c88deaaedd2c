"""How much carbon a kilowatt-hour of a country's electricity stands for, from codecarbon's own tables."""

from dataclasses import dataclass

from codecarbon.input import DataSource
from rapidfuzz import fuzz, process

from harness.core.errors import InputError

__all__ = ["WORLD", "Grid", "find_grid"]

WORLD = "world average"
"""The region that stands in where the user names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """`grams_per_kwh` is the mean intensity in gCO2e per kWh of the electricity generated in `region`.

    `country_code` is None for the world average; `source` says which table and year.
    """

    region: str
    country_code: str | None
    grams_per_kwh: float
    source: str


def find_grid(region: str | None) -> Grid:
    """The grid of a country, by its ISO 3166 alpha-3 code in any case; the world average for None.

    Raises `InputError` with the nearest countries if codecarbon has no intensity for it. A yearly national mean:
    the real intensity at the hour of the run may differ several-fold.
    """
    data = DataSource()
    if region is None:
        grams = float(data.get_carbon_intensity_per_source_data()["world_average"])
        return Grid(region=WORLD, country_code=None, grams_per_kwh=grams, source=f"{WORLD}, codecarbon's table (IEA)")
    code = region.strip().upper()
    # A zero is a hole in the table: no way of making electricity has zero emissions over its life.
    known = {key: row for key, row in data.get_global_energy_mix_data().items() if row.get("carbon_intensity")}
    if code not in known:
        raise _unknown(region, {key: str(row["country_name"]) for key, row in known.items()})
    row = known[code]
    return Grid(
        region=code,
        country_code=code,
        grams_per_kwh=float(row["carbon_intensity"]),
        source=f"{row['country_name']} {row['year']}, codecarbon's table of national electricity mixes",
    )


def _unknown(region: str, countries: dict[str, str]) -> InputError:
    matches = [
        *process.extract(region, countries, scorer=fuzz.WRatio, processor=str.lower, limit=3, score_cutoff=75),
        *process.extract(region, {code: code for code in countries}, processor=str.lower, limit=3, score_cutoff=75),
    ]
    near = list(dict.fromkeys(f"{code} ({countries[code]})" for _, _, code in matches))[:3]
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return InputError(
        f"no carbon intensity is known for this region{hint}",
        place=f"--region {region}",
        fix="Give the ISO 3166 alpha-3 code of a country, such as FRA, or leave it out for the world average",
    )
