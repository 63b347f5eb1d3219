"""Options and fixtures of every suite; what stands behind them is in `kit/`."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.reporter import STAGE, Reporter
from kit.stage import House, Stage, opened
from kit.tree import Tree


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which programs are tried, and where the result goes."""
    group = parser.getgroup("labs", "the labs' suites")
    group.addoption(
        "--solutions",
        dest="package",
        action="store_const",
        const="solutions",
        default="labs",
        help="try the reference programs instead of those in labs/",
    )
    group.addoption("--tree", metavar="DIR", help="the folder that holds labs/ (default: this one)")
    group.addoption(
        "--seed",
        type=int,
        default=secrets.randbelow(1_000_000),
        help="repeat a run with the random content of an earlier one",
    )
    group.addoption("--json", metavar="FILE", help="write the whole result to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark and the reporter."""
    config.addinivalue_line("markers", "check(points, after): a check of a lab; see kit.lab.check")
    config.pluginmanager.register(Reporter(config), "labs-reporter")


@pytest.fixture(scope="module")
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """Where the programs of one part run, those of the tree under test."""
    config = request.config
    root = Path(config.getoption("tree") or config.rootpath).resolve()
    tree = Tree(root, config.getoption("package"))
    house = House(tree, request.path.parent.name, config.getoption("seed"))
    yield house
    house.close()


@pytest.fixture
def stage(house: House, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """What one check stands on: it starts programs, and knows what happened."""
    with opened(house, request.node.name) as stage:
        request.node.stash[STAGE] = stage
        yield stage
