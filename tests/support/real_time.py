"""A pytest plug-in that repeats tests in real time if the machine was too busy for them.

A test that is marked ``real_time`` needs several processes or threads to be woken in time. If it
fails while the machine was too busy for that, it is run again. A real fault shows every time.
"""

from __future__ import annotations

import pytest
from _pytest.runner import runtestprotocol

from tests.support.starvation import starvation

STARVED = 0.02  # delay in seconds of a sleeping thread above which the machine is too busy
TRIES = 3  # maximum number of runs of a test
_AGAIN = "run again"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "real_time: needs a machine that has time for it; run again where it has not"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test in real time up to three times."""
    if item.get_closest_marker("real_time") is None:
        return None
    place = {"nodeid": item.nodeid, "location": item.location}
    item.ihook.pytest_runtest_logstart(**place)
    tries = 0
    while (tries := tries + 1) <= TRIES:
        with starvation() as machine:
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if not any(report.failed for report in reports) or machine.worst < STARVED:
            break
    for report in reports:
        if tries > 1:
            report.user_properties.append((_AGAIN, tries))
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(**place)
    return True


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Count the tests that passed in a later run separately."""
    if report.when == "call" and report.passed and _AGAIN in dict(report.user_properties):
        return _AGAIN, "a", "PASSED AGAIN"
    return None
