"""docs/systems.md is what the tests show."""

from pathlib import Path

import pytest

import systems


def test_each_row_of_the_page_has_its_test(request: pytest.FixtureRequest) -> None:
    """The dates are those of the page."""
    option, items = request.config.option, request.session.items
    if option.keyword or option.markexpr or {item.path for item in items} != {*Path(__file__).parent.glob("test_*.py")}:
        pytest.skip("needs a run of all tests")
    dates = systems.dates()
    found = systems.rows(items)
    assert systems.PAGE.read_text(encoding="utf-8") == systems.page(found, dates), "run `python3 dev.py systems`"
    assert not found.keys() - dates.keys()
