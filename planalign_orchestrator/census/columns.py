"""The census's columns: names, types, defaults, and the other names under which clients write them.

One table feeds the reader, the checks, the generator, the mapping suggestions and the "did you mean" of a heading.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "date", "money", "rate", "hours", "level", "boolean", "method"]

SQL_TYPES: Final[dict[Kind, str]] = {
    "text": "varchar",
    "date": "date",
    "money": "decimal(18,2)",
    "rate": "decimal(9,6)",
    "hours": "decimal(9,2)",
    "level": "integer",
    "boolean": "boolean",
    "method": "varchar",
}

# How many of a unit of pay make a year; an hour's pay is multiplied by the scheduled hours and 52 weeks.
PAY_UNITS: Final = {"annual": 1, "monthly": 12, "semimonthly": 24, "biweekly": 26, "weekly": 52, "hourly": 52}
# 6 is 6 % as `percent`; 0.06 is 6 % as `fraction`; as `mixed` both are, and 1 is 1 %.
RATE_UNITS: Final = ("percent", "fraction", "mixed")

ENROLLMENT_METHODS: Final = ("auto", "voluntary")

# A heading this similar to a known name is pointed out instead of being left unused (difflib ratio of the bare names).
NEARNESS: Final = 0.88


@dataclass(frozen=True)
class Column:
    """One standard column and its meaning in words.

    `default` is SQL for a blank value; `aliases` are bare names (see `bare_name`).
    `units` are those that `census.units` may name; without one, pay is yearly and a rate a fraction.
    """

    name: str
    kind: Kind
    required: bool = False
    meaning: str = ""
    default: str | None = None
    stored: bool = True
    aliases: tuple[str, ...] = ()
    weak_aliases: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    @property
    def has_codes(self) -> bool:
        """Whether a client may write the values as codes, whose meaning `census.values` gives."""
        return self.stored and self.kind in ("boolean", "level", "method", "text") and self.name != "employee_id"

    @property
    def sql_type(self) -> str:
        """The column's DuckDB type in the typed census."""
        return SQL_TYPES[self.kind]


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())


COLUMNS: Final[tuple[Column, ...]] = (
    Column(
        "employee_id",
        "text",
        meaning=(
            "One id a person, the same in every census of the client. It is in every result; an id must not be a"
            " social security number."
        ),
        required=True,
        aliases=words(
            "empid eeid employeenumber employeeno employeenum empno empnumber empnum eeno eenumber employeecode empcode"
            " personid personnumber personnelnumber personnelno personnelid workerid staffid staffno associateid"
            " participantid memberid payrollid payrollnumber badgenumber employeeidnumber"
        ),
        weak_aliases=words("id number no key"),
    ),
    Column(
        "employee_birth_date",
        "date",
        meaning="Age, from 14 to 100 on the census date.",
        required=True,
        aliases=words("birthdate dateofbirth dob birthday empdob employeedob eedob employeebirthday bdate dateborn"),
        weak_aliases=words("birth born"),
    ),
    Column(
        "employee_hire_date",
        "date",
        meaning="Start of the employment, on or before the census date and after the 14th birthday.",
        required=True,
        aliases=words(
            "hiredate dateofhire doh datehired hiredon latesthiredate employmentdate dateofemployment"
            " employmentstartdate startofemployment joindate datejoined"
        ),
        weak_aliases=words("hire hired startdate start originalhiredate servicedate seniority senioritydate"),
    ),
    Column(
        "employee_service_date",
        "date",
        meaning=(
            "Day from which service counts for eligibility, vesting and tenure, where it is not the hire date: earlier"
            " for credited service, later for a break that does not count. On or before the census date."
        ),
        aliases=words(
            "adjustedservicedate adjservicedate adjustedhiredate adjhiredate adjusteddateofhire creditedservicedate"
            " vestingservicedate benefitservicedate benefitsservicedate servicestartdate"
        ),
        weak_aliases=words("servicedate originalhiredate orighiredate seniority senioritydate"),
    ),
    Column(
        "employee_gross_compensation",
        "money",
        meaning=(
            "Rate of pay on the census date, before deferrals, for the scheduled hours (`census.pay_basis`,"
            " `census.units`)."
        ),
        required=True,
        aliases=words(
            "grosscompensation compensation annualcompensation annualsalary salary basesalary basepay annualpay"
            " annualbasepay annualbasesalary grosspay grosssalary grosswages annualrate annualrateofpay payrate"
            " annualpayrate basecompensation employeecompensation employeesalary yearlysalary annualwages"
            " annualizedsalary annualizedpay grosscomp annualcomp"
        ),
        weak_aliases=words("pay comp wages earnings remuneration rate"),
        units=tuple(PAY_UNITS),
    ),
    Column(
        "employee_termination_date",
        "date",
        meaning="Last day. On or before the census date the person has left; later it is an announced exit.",
        aliases=words(
            "terminationdate termdate dateoftermination dot separationdate dateofseparation"
            " terminatedon leavedate leavingdate exitdate enddate employmentenddate dateterminated"
        ),
        weak_aliases=words("terminated term lastday lastdayworked"),
    ),
    Column(
        "active",
        "boolean",
        meaning="Whether the person is employed; it counts where there is no exit date.",
        aliases=words(
            "activeflag isactive activeindicator employmentstatus employeestatus empstatus status activestatus"
            " activeemployee eestatus"
        ),
    ),
    Column(
        "level_id",
        "level",
        meaning="Job level; a blank is found from the pay.",
        aliases=words("level joblevel jobgrade grade levelnumber careerlevel employeelevel paygrade salarygrade"),
        weak_aliases=words("band payband"),
    ),
    Column(
        "department",
        "text",
        meaning="Organisational unit; `plan.eligibility` may exclude some.",
        aliases=words("dept departmentname deptname departmentcode deptcode"),
        weak_aliases=words("division businessunit unit team"),
    ),
    Column(
        "location",
        "text",
        meaning="Place of work; `plan.eligibility.excluded` may leave it out, and breakdowns show it.",
        aliases=words("worklocation site worksite office locationname locationcode workplace"),
        weak_aliases=words("plant facility branch"),
    ),
    Column(
        "employee_class",
        "text",
        meaning="Class of employees, such as a union; `plan.eligibility.excluded` may leave it out.",
        aliases=words("employeetype emptype emptypecode employeeclassification employmenttype classcode unionstatus"),
        weak_aliases=words("class union unionyn bargainingunit"),
    ),
    Column(
        "sex",
        "text",
        meaning="Sex, for breakdowns; M, Male, F or Female for the rates of death and disability.",
        aliases=words("gender gendercode sexcode"),
    ),
    Column(
        "scheduled_hours_per_week",
        "hours",
        meaning="Scheduled weekly hours: part-time share, hours of service.",
        default="40",
        aliases=words(
            "scheduledhours hoursperweek weeklyhours scheduledweeklyhours standardhours stdhours hrsperweek hoursweek"
            " normalhours standardweeklyhours stdhoursweek standardhoursweek weeklyhours"
        ),
        weak_aliases=words("hours hrs"),
    ),
    Column(
        "employee_deferral_rate",
        "rate",
        meaning=(
            "Share of pay that the person defers on the census date. Without the column everybody starts as a"
            " non-participant."
        ),
        aliases=words(
            "deferralrate deferralpercent deferralpercentage deferralpct deferralelection contributionrate"
            " employeecontributionrate eedeferralrate 401k 401kpercent 401kpct 401krate 401kdeferral"
            " 401kdeferralrate 401kelection 401kcontribution electivedeferralrate pretaxdeferralrate"
        ),
        weak_aliases=words("deferral election contribution pretax deferralamount"),
        units=RATE_UNITS,
    ),
    Column(
        "employee_enrollment_date",
        "date",
        meaning="Date of the enrollment; with a rate of 0, the date on which the person opted out.",
        aliases=words("enrollmentdate enrolmentdate dateofenrollment dateenrolled planenrollmentdate enrolldate"),
        weak_aliases=words("enrolled participationdate planentrydate entrydate"),
    ),
    Column(
        "enrollment_method",
        "method",
        meaning="How the person was enrolled.",
        aliases=words("enrolmentmethod enrollmenttype howenrolled enrollmentsource"),
        weak_aliases=words("autoenrolled"),
    ),
    Column(
        "auto_escalation_opt_out",
        "boolean",
        meaning="Whether the person has refused automatic increases.",
        default="false",
        aliases=words("escalationoptout autoincreaseoptout optoutofescalation autoescalationoptedout"),
        weak_aliases=words("optout"),
    ),
    Column(
        "plan_eligible_override",
        "boolean",
        meaning="Whether the person is eligible whatever the plan's rule says; a blank leaves it to the rule.",
        aliases=words("eligibleoverride eligibilityoverride planeligibilityoverride"),
        weak_aliases=words("eligible planeligible"),
    ),
    Column(
        "is_five_percent_owner",
        "boolean",
        meaning="Whether the person owns more than 5 % of the employer, and so is a highly compensated employee.",
        default="false",
        aliases=words("fivepercentowner 5percentowner is5percentowner 5owner owner5 ownerflag 5pctowner"),
        weak_aliases=words("owner isowner"),
    ),
    Column(
        "prior_year_compensation",
        "money",
        meaning=(
            "Pay of the year before the first simulated one, for the test of highly compensated employees; a"
            " blank is derived from the rate of pay."
        ),
        aliases=words(
            "prioryearcomp prioryearpay prioryearsalary prioryearwages prioryeargross previousyearcompensation"
            " previousyearpay lastyearcompensation lastyearpay lastyearssalary pycompensation pycomp"
        ),
    ),
    Column(
        "employee_variable_compensation",
        "money",
        meaning=(
            "Variable pay of a year, such as a bonus. Its share of the rate of pay is the person's for good; 0 is none,"
            " and a blank has the share of the level (`compensation.bonus`)."
        ),
        aliases=words(
            "variablecompensation variablepay variablecomp annualbonus bonusamount targetbonus bonustarget bonuspay"
            " annualincentive incentivepay incentivecompensation bonuscompensation"
        ),
        weak_aliases=words("bonus incentive commission commissions"),
    ),
    Column(
        "year_to_date_deferral",
        "money",
        meaning="Deferrals of the year in another plan before an acquisition, which count towards 402(g); read of "
        "people of `workforce.acquisitions` only.",
        default="0",
        aliases=words("ytddeferral ytddeferrals yeartodatedeferrals ytd401k ytd401kdeferrals"),
    ),
    Column(
        "employee_account_balance",
        "money",
        meaning="Balance of the person's own deferrals.",
        default="0",
        aliases=words(
            "employeebalance deferralbalance deferralaccountbalance electivedeferralbalance eebalance eeaccountbalance"
        ),
        weak_aliases=words("accountbalance balance totalbalance"),
    ),
    Column(
        "match_account_balance",
        "money",
        meaning="Balance of the employer's match.",
        default="0",
        aliases=words("matchbalance matchingbalance matchingaccountbalance employermatchbalance ermatchbalance"),
    ),
    Column(
        "core_account_balance",
        "money",
        meaning="Balance of the employer's core contribution.",
        default="0",
        aliases=words("corebalance employercorebalance nonelectivebalance nonelectiveaccountbalance ercorebalance"),
    ),
    Column(
        "employee_ssn",
        "text",
        meaning="Read to find one person under two ids, and never kept.",
        stored=False,
        aliases=words("ssn socialsecuritynumber socialsecurity socialsecurityno socialsecno socsecno ssnumber taxid"),
    ),
)

COLUMNS_BY_NAME: Final[dict[str, Column]] = {column.name: column for column in COLUMNS}
STORED_COLUMNS: Final[tuple[Column, ...]] = tuple(column for column in COLUMNS if column.stored)
REQUIRED_COLUMNS: Final[tuple[Column, ...]] = tuple(column for column in COLUMNS if column.required)
OPTIONAL_COLUMNS: Final[tuple[Column, ...]] = tuple(c for c in STORED_COLUMNS if not c.required)


# Usual headings of a client's file that no column is read from, however much they resemble one.
OTHER_NAMES: Final = frozenset(
    words(
        "lastname firstname middlename middleinitial name fullname employeename address address1 address2 street city"
        " state zip zipcode postalcode email phone country title jobtitle position company suffix"
        " maritalstatus rehiredate rehire dateofrehire daterehired vestedbalance roth rothpercent rothpct"
        " badgecode rothbalance"
    )
)
# A heading with one of these words is about somebody else than the employee.
OTHER_PEOPLE: Final = re.compile(r"spouse|dependent|depend(a|e)nt|beneficiary|partner|child|manager|supervisor|contact")
_SHORT_FORMS: Final = ((r"dt$", "date"), (r"hrs", "hours"), (r"(?<=hours)wk$", "week"), (r"bal$", "balance"))


def bare_name(heading: str) -> str:
    """Return the heading's letters and digits only, lower case, with signs spelled out: `401(k) %` is `401kpercent`."""
    return re.sub(r"[^0-9a-z]", "", heading.casefold().replace("%", "percent").replace("#", "number"))


def spellings(heading: str) -> tuple[str, ...]:
    """Return a heading's bare name, also without the word employee, each also with its short forms written out."""
    bare = bare_name(heading)
    found = dict.fromkeys((bare, re.sub(r"^(employee|emp|ee)", "", bare)))
    for name in tuple(found):
        long = name
        for short, word in _SHORT_FORMS:
            long = re.sub(short, word, long)
        found[long] = None
    return tuple(name for name in found if name)


def is_other(heading: str) -> bool:
    """Return whether a heading says itself that no column is read from it."""
    return bool(OTHER_PEOPLE.search(bare_name(heading)) or OTHER_NAMES & set(spellings(heading)))


@dataclass(frozen=True)
class NameMatch:
    """How far a heading's name alone speaks for a standard column: `score` in 0..1 and the reason in words."""

    standard_name: str
    score: float
    reason: str


def match_name(heading: str, column: Column) -> NameMatch:
    """Compare one heading with one standard column by name: 1 is the same name, 0 nothing in common.

    A known other name scores .95, a known but loose one .6, and a similar spelling its similarity times .95.
    """
    bare = bare_name(heading)
    written = set(spellings(heading))
    usual_names = {bare_name(column.name.removeprefix("employee_")), *column.aliases} - set(column.weak_aliases)
    if heading == column.name:
        return NameMatch(column.name, 1.0, "the standard name")
    if bare == bare_name(column.name):
        return NameMatch(column.name, 0.98, "the standard name in another spelling")
    if is_other(heading):
        return NameMatch(column.name, 0.0, "the name is that of another column")
    if written & usual_names:
        return NameMatch(column.name, 0.95, f"a usual name of {column.name}")
    if written & set(column.weak_aliases):
        return NameMatch(column.name, 0.6, f"sometimes the name of {column.name}")
    known_names = (bare_name(column.name), *usual_names)
    similarity = max(_similarity(spelling, name) for spelling in written or {bare} for name in known_names)
    if similarity >= NEARNESS:
        return NameMatch(column.name, 0.95 * similarity, f"spelled almost like {column.name}")
    return NameMatch(column.name, 0.0, "the name says nothing")


def nearest_column(heading: str) -> str | None:
    """Return the standard column that this heading nearly names, or None when it is far from all of them."""
    matches = [match_name(heading, column) for column in COLUMNS]
    best = max(matches, key=lambda match: match.score)
    return best.standard_name if best.score >= 0.95 * NEARNESS else None


def _similarity(left: str, right: str) -> float:
    """Return the difflib ratio, 0 where it is below `NEARNESS` or the names are too short to be told apart."""
    if min(len(left), len(right)) < 6:
        return 0.0
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    # The two upper bounds of the ratio are cheap, and a census has hundreds of headings and names to compare.
    if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < NEARNESS:
        return 0.0
    return matcher.ratio()
