"""The rules a census row must meet, each a SQL condition with the words that name it, and the rows that break them.

A typed row carries one bit per rule that it breaks, so that a million clean rows cost one pass and no text.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.columns import COLUMNS_BY_NAME, REQUIRED_COLUMNS, STORED_COLUMNS
from planalign_orchestrator.census.dates import in_range
from planalign_orchestrator.census.headings import Layout
from planalign_orchestrator.census.ids import hashed
from planalign_orchestrator.census.records import CensusSource, Example, Finding
from planalign_orchestrator.census.spells import SPELL_RULES, SPELLS
from planalign_orchestrator.census.sql import (
    CONTROL_CHARACTERS,
    MALFORMED_TABLE,
    RAW_VIEW,
    REPEATED_IDS_TABLE,
    TYPED_TABLE,
    days_table,
    fetch_one,
    quoted_value,
    text_literal,
)
from planalign_orchestrator.census.values import READABLE, read_value

if TYPE_CHECKING:
    import duckdb

MINIMUM_AGE: Final = 14
MAXIMUM_AGE: Final = 100
# times the rate of pay; variable pay above it is in another unit
MOST_VARIABLE: Final = 100
HOURS_IN_A_WEEK: Final = 168
EXAMPLES: Final = 3
MOST_CODES: Final = 50
_BOTH_DATES: Final = ("employee_birth_date", "employee_hire_date")
_LAST_PERSON: Final = f"(select max(row_number) from {RAW_VIEW} where coalesce({', '.join(_BOTH_DATES)}) is not null)"
_TOTAL: Final = r"(?i)(grand|sub)?[ -]*totals?\b.*|(count|sum|average)\b.*|total .*"
# what Excel writes where a formula has no result, and a formula that nobody has computed
_EXCEL_ERROR: Final = r"(?i)#(ref!|value!|div/0!|name[?]|num!|null!|spill!|calc!|getting_data|blocked!|unknown!)"
LONGEST_SHOWN: Final = 40


_CODES_FIX: Final = "say with census.values what each code means, or correct it"


@dataclass(frozen=True)
class Check:
    """A row breaks the rule where `condition` is true: SQL over typed columns and their texts, `<column>_text`.

    `shown` is SQL over the raw view, `raw`, for the value that examples show; without it, that of the column.
    With `lists_codes`, every value is named with its number of rows in place of a few examples.
    """

    column: str
    condition: str
    says: str
    fix: str = ""
    shown: str = ""
    lists_codes: bool = False


def checks_for(
    layout: Layout,
    *,
    undecided: Collection[str],
    plain: Collection[str],
    census_date: date,
    level_ids: Collection[int],
    source: CensusSource,
) -> list[Check]:
    """Return the rules in column order; columns whose date order is undecided are not judged row by row."""
    present = [name for name in layout.positions if name not in undecided]
    checks = [*_presence_checks(present, plain, source), *_person_checks(census_date, source), *_job_checks(level_ids)]
    checks += [*_plan_checks(census_date), *_hours_check(present, source)]
    order = list(COLUMNS_BY_NAME)
    return [*_footer_check(layout), *sorted(checks, key=lambda check: order.index(check.column))]


def write_typed_rows(
    connection: "duckdb.DuckDBPyConnection",
    layout: Layout,
    readings: Mapping[str, str],
    looked_up: Mapping[str, str],
    checks: list[Check],
    source: CensusSource,
) -> None:
    """Create the typed table: `row_number`, every stored column typed or NULL, and `problems`, a bit for each rule.

    `readings` is SQL over the texts by column, `looked_up` SQL over the tables of distinct texts by date column; a
    column in neither is NULL.
    """
    texts = [f"{name} as {name}" if name in layout.positions else f"null::varchar as {name}" for name in _names()]
    lookups = [
        f"left join (select text, {day} as day from {days_table(name)}) as {name}_days on {name} = {name}_days.text"
        for name, day in looked_up.items()
    ]
    readings = {**readings, **{name: f"{name}_days.day" for name in looked_up}}
    values = [f"{name} as {name}_text" for name in _names()]
    values += [f"{readings.get(c.name, f'null::{c.sql_type}')} as {c.name}" for c in STORED_COLUMNS]
    exits = "employee_termination_date"
    no_end = source.no_end_date
    endless = "null" if no_end is None else f"case when {exits} = date '{no_end}' then {exits} end"
    spells = source.duplicates == "latest_spell"
    ranges = [f"{in_range(column.name)} as {column.name}" for column in STORED_COLUMNS if column.kind == "date"]
    kind = _bits_type(checks)
    bits = " + ".join(f"case when {c.condition} then {1 << bit}::{kind} else 0 end" for bit, c in enumerate(checks))
    if checks and checks[0].shown:
        bits = f"case when {checks[0].condition} then 1::{kind} else {bits} end"
    typed = [f"try_cast({column.name} as {column.sql_type}) as {column.name}" for column in STORED_COLUMNS]
    connection.execute(f"""
        create or replace temp table {REPEATED_IDS_TABLE} as
        select {"employee_id" if "employee_id" in layout.positions else "null::varchar as employee_id"}
        from {RAW_VIEW} group by 1 having count(*) > 1
    """)
    connection.execute(f"""
        create or replace temp table {TYPED_TABLE} as
        with texts as (select row_number, {", ".join(texts)} from {RAW_VIEW}),
        read as (select row_number, {", ".join(values)} from texts {" ".join(lookups)}),
        readings as (
            select * replace (
                case when {endless} is null then {exits}_text end as {exits}_text,
                case when {endless} is null then {exits} end as {exits}
            )
            from read
        ),
        dated as (select * replace ({", ".join(ranges)}) from readings){f", {SPELLS}" if spells else ""}
        select row_number, {", ".join(typed)}, {bits} as problems
        from dated {"left join spells on dated.employee_id_text = spells.spell_id" if spells else ""}
    """)


def describe_problems(connection: "duckdb.DuckDBPyConnection", layout: Layout, checks: list[Check]) -> list[Finding]:
    """Return one sentence per broken rule: how many rows, the first few of them with their values, and the fix."""
    malformed = connection.execute(f"""
        select problem, count(*), list(row_number order by row_number)[:{EXAMPLES}]
        from {MALFORMED_TABLE} where problem is not null group by problem order by problem
    """).fetchall()
    findings = [
        _finding(f"the row {problem}", count, [Example(row, None) for row in rows], "")
        for problem, count, rows in malformed
    ]
    findings += _notes_below(connection, layout)
    broken = connection.execute(f"""
        with hits as ({_hits(layout, checks)}),
        ranked as (
            select *,
                row_number() over (partition by bit order by row_number) as place,
                count(*) over (partition by bit) as rows
            from hits
        )
        select bit, max(rows), list(row_number order by place), list(value order by place)
        from ranked where place <= {EXAMPLES} group by bit order by bit
    """).fetchall()
    for bit, count, rows, values in broken:
        check = checks[bit]
        if check.lists_codes:
            findings.append(_codes_finding(connection, layout, check, bit, count))
            continue
        examples = [Example(row, value) for row, value in zip(rows, values, strict=True)]
        about = "the row" if check.shown else _named(check.column, layout)
        findings.append(_finding(f"{about} {check.says}", count, examples, check.fix))
    return findings


def _codes_finding(
    connection: "duckdb.DuckDBPyConnection", layout: Layout, check: Check, bit: int, count: int
) -> Finding:
    """Name every code that broke a rule, the most frequent one first, with its number of rows."""
    codes = connection.execute(f"""
        select {quoted_value("code", longest=LONGEST_SHOWN)}, rows, first_row
        from (
            select raw.{check.column} as code, count(*) as rows, min(row_number) as first_row
            from {TYPED_TABLE} as typed inner join {RAW_VIEW} as raw using (row_number)
            where problems & {1 << bit} <> 0 group by 1
        )
        order by rows desc, first_row
    """).fetchall()
    listed = ", ".join(
        f"{code} in {_rows(rows)} (row {first_row}{', ...' if rows > 1 else ''})"
        for code, rows, first_row in codes[:MOST_CODES]
    )
    listed += f" and {len(codes) - MOST_CODES:,} other codes" if len(codes) > MOST_CODES else ""
    about = f"{_named(check.column, layout)} {check.says}"
    return Finding("problem", f"{about}: {listed}; {check.fix}", f"{about}: {_rows(count)}; {check.fix}")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _notes_below(connection: "duckdb.DuckDBPyConnection", layout: Layout) -> list[Finding]:
    """Say of rows below the last person that are no whole rows how a note is left out."""
    if not layout.positions.keys() >= set(_BOTH_DATES):
        return []
    count, last = fetch_one(
        connection,
        f"""
        select count(*), {_LAST_PERSON} from {MALFORMED_TABLE}
        where problem like 'has fewer than%' and row_number > {_LAST_PERSON}
        """,
    )
    if not count:
        return []
    return [
        Finding.plain(
            "problem",
            f"the last row with a birth or hire date is row {last}: if what stands below it are totals or notes, set"
            f" census.last_row to {last}",
        )
    ]


def write_quarantine(
    connection: "duckdb.DuckDBPyConnection",
    table: str,
    layout: Layout,
    checks: list[Check],
    *,
    bad_rows: int,
    hash_ids: bool,
) -> None:
    """Create the quarantine table and put the bad rows in it: number, id, every reason, the values as read, as JSON.

    Columns that are not read (and social security numbers) are not copied; a row that cannot be split has no JSON.
    With `hash_ids`, ids are hashed here, too.
    """
    kept = {name: f"raw.{name}" for name in _names() if name in layout.positions}
    if hash_ids and "employee_id" in kept:
        kept["employee_id"] = hashed("raw.employee_id")
    pairs = ", ".join(f"{text_literal(layout.headings[name])}, {value}" for name, value in kept.items())
    employee_id = kept.get("employee_id", "null::varchar")
    hidden = {check for check in checks if hash_ids and check.column == "employee_id"}
    values = ["" if check in hidden else " || coalesce(' ' || value, '')" for check in checks]
    says = " ".join(
        f"when {bit} then {text_literal('the row' if check.shown else check.column)}{value}"
        f" || {text_literal(' ' + check.says)}"
        for bit, (check, value) in enumerate(zip(checks, values, strict=True))
    )
    connection.execute(
        f"create or replace table {table} (row_number bigint, employee_id varchar, reasons varchar, raw_row varchar)"
    )
    if not bad_rows:
        return
    connection.execute(f"""
        insert into {table}
        with hits as ({_hits(layout, checks)}),
        reasons as (
            select row_number, string_agg(case bit {says} end, '; ' order by bit) as reasons
            from hits group by row_number
        )
        select row_number, {employee_id} as employee_id, reasons, json_object({pairs})::varchar as raw_row
        from reasons inner join {RAW_VIEW} as raw using (row_number)
        union all
        select row_number, null, 'the row ' || problem, null from {MALFORMED_TABLE} where problem is not null
        order by row_number
    """)


def count_bad_rows(connection: "duckdb.DuckDBPyConnection") -> int:
    """Return how many typed rows break a rule; malformed rows are counted elsewhere."""
    return int(fetch_one(connection, f"select count(*) from {TYPED_TABLE} where problems <> 0")[0])


def _footer_check(layout: Layout) -> Iterator[Check]:
    """Yield the rule that a row is a person: totals and notes have no dates, and stand below the people or say `total`.

    A row that breaks it breaks no other.
    """
    if not {"employee_id", *_BOTH_DATES} <= layout.positions.keys():
        return
    kinds = ("date", "boolean", "level", "method", "rate")
    facts = [f"{name}_text" for name in layout.positions if COLUMNS_BY_NAME[name].kind in kinds]
    said = [name for name in layout.positions if COLUMNS_BY_NAME[name].stored and f"{name}_text" not in facts]
    total = f"coalesce(regexp_full_match(employee_id_text, {text_literal(_TOTAL)}), false)"
    below = f"coalesce(row_number > {_LAST_PERSON}, false)"
    yield Check(
        "employee_id",
        f"coalesce({', '.join(facts)}) is null and ({below} or {total})",
        "looks like a total or a note and not like a person",
        f"end the table above it with census.last_row, or leave such rows out with census.ignore_rows: {{column:"
        f" {layout.headings['employee_id']}, values: [...]}}",
        shown=f"coalesce({', '.join(f'raw.{name}' for name in said)})",
    )


def _presence_checks(present: list[str], plain: Collection[str], source: CensusSource) -> Iterator[Check]:
    """Yield the rules that each value is there and readable, as far as plain values do not keep them anyway."""
    for column in REQUIRED_COLUMNS:
        if column.name in present:
            yield Check(column.name, f"{column.name}_text is null", "is missing")
    for name in present:
        column = COLUMNS_BY_NAME[name]
        if name in source.values and column.has_codes:
            yield _unknown_code(name, source.values[name])
            continue
        if name in plain and column.kind != "date":
            continue
        if column.kind == "text":
            if column.stored:
                yield from _character_checks(name)
                yield from _excel_checks(name)
            continue
        form = f" of the form {source.date_format}" if column.kind == "date" and source.date_format else ""
        unreadable = f"{name}_text is not null and {name} is null"
        if name == "employee_gross_compensation" and source.needs_hours:
            unreadable = f"{name}_text is not null and {read_value(column, f'{name}_text')} is null"
        fix = _CODES_FIX if column.has_codes else ""
        yield Check(name, unreadable, f"is not {READABLE[column.kind]}{form}", fix, lists_codes=column.has_codes)


def _unknown_code(name: str, codes: Mapping[str, str | None]) -> Check:
    blank = ", ".join(text_literal(code.casefold()) for code, meaning in codes.items() if meaning is None) or "''"
    unknown = f"{name}_text is not null and {name} is null and lower({name}_text) not in ({blank})"
    return Check(name, unknown, "has codes that census.values does not name", "name each there", lists_codes=True)


def _hours_check(present: Collection[str], source: CensusSource) -> Iterator[Check]:
    """Yield the rule that hours are there, where pay depends on them."""
    if source.needs_hours and source.default_hours is None and "scheduled_hours_per_week" in present:
        yield Check(
            "scheduled_hours_per_week",
            "scheduled_hours_per_week_text is null",
            f"is missing, and {_hours_reason(source)}",
            "fill them in, or say with census.default_hours how many they are",
        )


def hours_problem(layout: Layout, source: CensusSource) -> list[str]:
    """Say that the file has no hours, where pay depends on them."""
    if not source.needs_hours or source.default_hours is not None or "scheduled_hours_per_week" in layout.positions:
        return []
    reason = _hours_reason(source)
    return [f"scheduled_hours_per_week is missing, and {reason}: map the column, or set census.default_hours"]


def _hours_reason(source: CensusSource) -> str:
    if source.pay_basis == "actual":
        return "pay is hourly"
    return "pay is for full-time work (census.pay_basis)"


def _character_checks(name: str) -> Iterator[Check]:
    """Yield the rules that a text is one line of characters that can be seen."""
    line_breaks = "[\\r\\n]"
    yield Check(
        name, f"regexp_matches({name}_text, '{line_breaks}')", "contains a line break", "is a quote not closed?"
    )
    others = (
        f"regexp_matches(regexp_replace({name}_text, '{line_breaks}', '', 'g'), {text_literal(CONTROL_CHARACTERS)})"
    )
    yield Check(name, others, "contains a control character", "remove it")


def _excel_checks(name: str) -> Iterator[Check]:
    """Yield the rules that a text is neither an error of Excel nor a formula, which no other kind can be read from."""
    yield Check(name, f"regexp_full_match({name}_text, {text_literal(_EXCEL_ERROR)})", "is an error of Excel")
    formula = f"starts_with({name}_text, '=')"
    yield Check(
        name, formula, "is a formula without a saved value", "open the workbook in Excel and save it, or save values"
    )


def _repeated_id_checks(source: CensusSource) -> list[Check]:
    """Return the rules of rows that share an id: none is allowed, or they are the employments of one person."""
    if source.duplicates == "latest_spell":
        return [Check("employee_id", f"coalesce({rule}, false)", says, fix) for rule, says, fix in SPELL_RULES]
    return [
        Check(
            "employee_id",
            f"employee_id_text in (select employee_id from {REPEATED_IDS_TABLE})",
            "is used by more than one row",
            "one row per employee; none of the rows is preferred. Are they earlier employments of people hired again?"
            " Then set census.duplicates: latest_spell",
        )
    ]


def _person_checks(census_date: date, source: CensusSource) -> list[Check]:
    on = f"date '{census_date}'"
    birth, hire, service = "employee_birth_date", "employee_hire_date", "employee_service_date"
    later_hires = (
        f"the census holds the people of {census_date}: remove whoever was hired later,"
        " or let the simulation start later"
    )
    # Nobody too young for the census was hired at an age that is right: one mistake is named once.
    too_young = f"{birth} + interval {MINIMUM_AGE} year > {on}"
    return [
        *_repeated_id_checks(source),
        Check(
            "employee_id",
            r"regexp_matches(employee_id_text, '^NH_\d{4}_')",
            "is reserved for simulated hires (NH_<year>_<level>_<number>)",
            "give these people other ids",
        ),
        Check(birth, too_young, f"means an age below {MINIMUM_AGE} on {census_date}"),
        Check(
            birth,
            f"{birth} + interval {MAXIMUM_AGE + 1} year <= {on}",
            f"means an age above {MAXIMUM_AGE} on {census_date}",
        ),
        Check(
            hire,
            f"{birth} + interval {MINIMUM_AGE} year > {hire} and not {too_young}",
            f"is before the {MINIMUM_AGE}th birthday",
        ),
        Check(
            hire,
            f"{hire} > {on}",
            f"is a hire date after the start of the simulation (census date {census_date})",
            later_hires,
        ),
        Check(
            service,
            f"{birth} + interval {MINIMUM_AGE} year > {service} and not {too_young}",
            f"is before the {MINIMUM_AGE}th birthday",
        ),
        Check(
            service,
            f"{service} > {on}",
            f"is after the census date {census_date}",
            "service cannot begin in the future; leave it blank where it begins with the hire",
        ),
        Check("employee_termination_date", f"employee_termination_date < {hire}", "is before the hire date"),
    ]


def _job_checks(level_ids: Collection[int]) -> list[Check]:
    levels = ", ".join(str(level) for level in sorted(level_ids))
    return [
        Check(
            "employee_gross_compensation",
            "employee_gross_compensation <= 0",
            "is not above 0",
            "it is the annual rate of pay",
        ),
        Check("level_id", f"level_id not in ({levels or 'null'})", f"is not a known level ({levels})"),
        Check(
            "scheduled_hours_per_week",
            f"scheduled_hours_per_week <= 0 or scheduled_hours_per_week > {HOURS_IN_A_WEEK}",
            f"is not above 0 and at most {HOURS_IN_A_WEEK}",
        ),
    ]


def _plan_checks(census_date: date) -> list[Check]:
    checks = [
        Check(
            "employee_deferral_rate",
            "employee_deferral_rate < 0 or employee_deferral_rate > 1",
            "is outside 0 to 1",
            "rates are decimals: 6 % is 0.06; where the file has percentages, set census.units:"
            " {employee_deferral_rate: percent}",
        ),
        Check("employee_enrollment_date", "employee_enrollment_date < employee_hire_date", "is before the hire date"),
        Check(
            "employee_enrollment_date",
            f"employee_enrollment_date > date '{census_date}'",
            f"is after the census date {census_date}",
            "leave it and the deferral rate blank for people who are not enrolled yet",
        ),
    ]
    amounts = (
        "prior_year_compensation",
        "employee_variable_compensation",
        "employee_account_balance",
        "match_account_balance",
        "core_account_balance",
        "year_to_date_deferral",
    )
    checks.append(
        Check(
            "employee_variable_compensation",
            f"employee_variable_compensation > {MOST_VARIABLE} * employee_gross_compensation",
            f"is more than {MOST_VARIABLE} times the rate of pay",
            "it is an amount in US dollars a year",
        )
    )
    return checks + [Check(name, f"{name} < 0", "is negative") for name in amounts]


def _hits(layout: Layout, checks: list[Check]) -> str:
    """Return SQL for one row per bad row and broken rule: row_number, bit, and the value in quotes.

    The value is as it stands in the file; a date in another form is followed by what it was read as.
    """
    bits: dict[str, list[int]] = {}
    for bit, check in enumerate(checks):
        if check.column in layout.positions:
            bits.setdefault(check.column, []).append(bit)
    texts = [f"when bit = {bit} then left({c.shown}, {LONGEST_SHOWN})" for bit, c in enumerate(checks) if c.shown]
    texts += [
        f"when bit in ({_listed(places)}) then left(raw.{name}, {LONGEST_SHOWN})" for name, places in bits.items()
    ]
    dates = [column.name for column in STORED_COLUMNS if column.kind == "date"]
    one_bit = f"1::{_bits_type(checks)}"
    days = [f"when bit in ({_listed(bits[name])}) then typed.{name}" for name in dates if name in bits]
    # DuckDB 2.0 ends with "dict-surviving cache" where a join without equality stands above a join with it and the
    # rows come in chunks of few and of many, so the bits come from a list of each row and not from a table of bits.
    return f"""
        select
            row_number, bit,
            {quoted_value("value")}
            || case when left(value, 10) <> day::varchar then ' (read as ' || day || ')' else '' end as value
        from (
            select
                typed.row_number, bit,
                {_case(texts, "varchar")} as value,
                {_case(days, "date")} as day
            from (
                select
                    row_number, {", ".join(dates)},
                    unnest(list_filter(range({len(checks)}), lambda bit: problems & ({one_bit} << bit) <> 0)) as bit
                from {TYPED_TABLE} where problems <> 0
            ) as typed
            inner join {RAW_VIEW} as raw using (row_number)
        )
    """


def _bits_type(checks: list[Check]) -> str:
    """Return the type that has a bit for every check: 63 of them in the one that every machine adds up at once."""
    return "bigint" if len(checks) <= 63 else "hugeint"


def _case(branches: list[str], sql_type: str) -> str:
    return f"case {' '.join(branches)} end" if branches else f"null::{sql_type}"


def _listed(bits: list[int]) -> str:
    return ", ".join(map(str, bits))


def _finding(what: str, count: int, examples: list[Example], fix: str) -> Finding:
    more = ", ..." if count > len(examples) else ""
    return Finding.with_examples(
        "problem", f"{what}: {_rows(count)} (", examples, f"{more}){f'; {fix}' if fix else ''}"
    )


def _named(column: str, layout: Layout) -> str:
    heading = layout.headings.get(column, column)
    return column if heading == column else f"{column} (heading {heading!r})"


def _names() -> list[str]:
    return [column.name for column in STORED_COLUMNS]
