import pytest
from codecarbon.core.emissions import Emissions
from codecarbon.core.units import Energy
from codecarbon.external.geography import GeoMetadata
from codecarbon.input import DataSource

from harness.core.errors import InputError
from probes.energy.grid import WORLD, find_grid


def emitted(country_code: str) -> float:
    """Grams for one kWh, as codecarbon itself works them out."""
    place = GeoMetadata(country_iso_code=country_code)
    return 1000 * float(Emissions(DataSource()).get_private_infra_emissions(Energy.from_energy(kWh=1.0), place))


@pytest.mark.parametrize("region", ["FRA", "POL", "USA", "CHN"])
def test_the_intensity_of_a_country_is_what_codecarbon_itself_uses(region: str) -> None:
    assert find_grid(region).grams_per_kwh == pytest.approx(emitted(region))


def test_without_a_region_the_world_average_is_used_and_named() -> None:
    grid = find_grid(None)
    assert grid.region == WORLD
    assert grid.grams_per_kwh == pytest.approx(emitted("XXX"))


def test_lower_case_codes_are_understood() -> None:
    assert find_grid("fra") == find_grid("FRA")


@pytest.mark.parametrize(("typed", "meant"), [("FRAN", "FRA"), ("germany", "DEU"), ("Untied States", "USA")])
def test_an_unknown_region_suggests_the_nearest_countries(typed: str, meant: str) -> None:
    with pytest.raises(InputError) as caught:
        find_grid(typed)
    assert f"{meant} (" in caught.value.problem
    assert typed in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_hole_in_the_table_is_no_carbon_free_country() -> None:
    with pytest.raises(InputError):
        find_grid("CAF")
