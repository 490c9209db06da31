"""The tables in README and docs are those of the committed results."""

from pathlib import Path

import pytest

from limner.cli import bench

ROOT = Path(__file__).parents[2]
tables = bench("tables")


@pytest.mark.parametrize("name", tables.PAGES)
def test_tables_of_a_page_are_those_of_the_results(name: str) -> None:
    page = (ROOT / name).read_text()
    assert "<!-- table:" in page
    assert tables.filled(page) == page


def test_every_table_is_shown() -> None:
    pages = "".join((ROOT / name).read_text() for name in tables.PAGES)
    assert all(f"<!-- table: {name} -->" in pages for name in tables.TABLES)


def test_a_changed_figure_would_be_noticed() -> None:
    page = (ROOT / "docs/painting.md").read_text()
    figure = f"{tables.result('parts')['rows'][0]['psnr']:.2f}"
    changed = page.replace(figure, "99.99")
    assert page == tables.filled(changed) != changed
