"""How much a report shows: everything (`detailed`), or what fits on one slide (`executive`), and by which groups.

It is a module of its own because the command line offers the choices before it loads anything else.
"""

from typing import Literal

ReportTemplate = Literal["executive", "detailed"]
ReportDimension = Literal["level", "age_band", "tenure_band", "location", "employee_class", "department", "sex"]
