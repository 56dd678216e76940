"""How much a report shows: everything (`detailed`), or what fits on one slide (`executive`).

It is a module of its own because the command line offers the choice before it loads anything else.
"""

from typing import Literal

ReportTemplate = Literal["executive", "detailed"]

# what an executive report shows of each year besides the failed checks: heading, metric, and whether it is a rate
HEADLINES = (
    ("Headcount", "closing_headcount", False),
    ("Growth", "headcount_growth_rate", True),
    ("Participation", "participation_rate", True),
    ("Deferrals", "employee_contribution_total", False),
    ("Employer cost", "net_employer_cost", False),
    ("Cost rate", "employer_cost_rate", True),
)
