"""How much a report shows: everything (`detailed`), or what fits on one slide (`executive`).

It is a module of its own because the command line offers the choice before it loads anything else.
"""

from typing import Literal

ReportTemplate = Literal["executive", "detailed"]
