"""The manual page, made from the parser: ``python -m scripts.make_manual`` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from build_manpages.manpage import Manpage

from live_ser import __version__
from live_ser.cli.parser import parser

MANUAL = Path(__file__).parents[1] / "docs" / "live-ser.1"


def manual() -> str:
    """The page, as troff."""
    page = str(Manpage(parser()))
    head = f'.TH LIVE\\-SER "1" "" "live\\-ser {__version__}" "live\\-ser"'  # without a date
    page = re.sub(r"^\.TH .*", lambda _: head, page)
    name = f".SH NAME\nlive\\-ser \\- {parser().description}"  # what apropos finds
    page = page.replace(".SH NAME\nlive\\-ser", name.rstrip("."), 1)
    return "\n".join(line.rstrip() for line in page.splitlines()) + "\n"


if __name__ == "__main__":
    MANUAL.write_text(manual(), "utf-8")
