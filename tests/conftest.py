"""Options and fixtures of every suite; what stands behind them is in `kit/`."""

import secrets
from pathlib import Path

import pytest

from kit.box import Box, BoxError
from kit.reporter import Reporter
from kit.schedule import AT_ONCE


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
    group.addoption(
        "--box",
        metavar="KIND",
        default="none",
        help="run the programs as user:UID, or in a bwrap[:UID] box; see kit.box",
    )
    group.addoption(
        "--at-once", type=int, metavar="N", default=AT_ONCE, help="checks (default: %(default)s)"
    )
    group.addoption("--json", metavar="FILE", help="write the whole result to FILE")
    group.addoption(
        "--pictures", metavar="DIR", help="write into DIR pictures of what went wrong on the wire"
    )
    group.addoption(
        "--stories", action="store_true", help="write pictures of the checks that passed as well"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark and the reporter. Raises UsageError if an option cannot be used."""
    try:
        Box(config.getoption("box"))
    except BoxError as error:
        raise pytest.UsageError(f"--box: {error}") from None
    place = Path(config.getoption("tree") or config.rootpath, config.getoption("package"))
    if not place.is_dir():
        raise pytest.UsageError(f"there is no folder {place}")
    if config.getoption("at_once") < 1:
        raise pytest.UsageError("--at-once: less than one check at once is none at all")
    if config.getoption("stories") and not config.getoption("pictures"):
        raise pytest.UsageError("--stories: --pictures says where they are to be")
    config.addinivalue_line(
        "markers", "check(points, after, long): a check of a lab; see kit.lab.check"
    )
    reporter = Reporter(config)
    config.pluginmanager.register(reporter, "labs-reporter")
    if folder := config.getoption("pictures"):
        from pictures.plugin import Pictures  # reports are not needed otherwise

        config.pluginmanager.register(Pictures(config, reporter, Path(folder)), "labs-pictures")


@pytest.fixture
def stage() -> None:
    """Stand for the stage, which a check gets from the schedule that runs it (`kit.schedule`)."""
