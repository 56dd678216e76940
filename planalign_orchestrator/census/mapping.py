"""Suggest which of a client's headings is which standard column, from the names and from the values below them.

A name speaks for a column to the degree that `match_name` gives; the values confirm it or speak against it. Without a
telling name the values alone make a weak suggestion. Each heading and each standard column is used once, the surest
pair first.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planalign_orchestrator.census.columns import (
    COLUMNS,
    COLUMNS_BY_NAME,
    REQUIRED_COLUMNS,
    Column,
    is_other,
    match_name,
    nearest_column,
)
from planalign_orchestrator.census.dates import day_text, guess_date, in_range
from planalign_orchestrator.census.heading_row import SEARCHED_ROWS, find_heading_row
from planalign_orchestrator.census.headings import quoted_heading, yaml_line
from planalign_orchestrator.census.reading import open_census, read_rows
from planalign_orchestrator.census.records import CensusSource
from planalign_orchestrator.census.setting_suggestions import SettingSuggestion, suggest_settings
from planalign_orchestrator.census.sql import RAW_VIEW, fetch_one, text_literal
from planalign_orchestrator.census.values import READABLE, read_value
from planalign_orchestrator.files import excel
from planalign_orchestrator.files.spilling import private_connection

if TYPE_CHECKING:
    import duckdb

SAMPLE_ROWS: Final = 20_000

# From here on a suggestion is written as a mapping, below it as a comment; below the second bound it is not made.
CONFIDENT: Final = 0.6
WORTH_NAMING: Final = 0.2

# How sure the values alone can make us, for the columns that values can tell apart.
VALUES_ALONE: Final = {
    "employee_id": 0.3,
    "employee_birth_date": 0.5,
    "employee_hire_date": 0.4,
    "employee_gross_compensation": 0.4,
    "employee_ssn": 0.5,
}
_USUAL_PAY: Final = (5_000, 2_000_000)
_GENERATION_YEARS: Final = 10
_SSN: Final = r"\d{3}-\d{2}-\d{4}|\d{9}"


@dataclass(frozen=True)
class ColumnSuggestion:
    """What one heading probably is; `confidence` is 0..1, and `standard_name` is None when it is nothing known.

    `rival` is then the column that it resembles and another heading was chosen for; `is_poor` says that its values do
    not suit that column.
    """

    heading: str
    standard_name: str | None
    confidence: float
    evidence: str
    rival: str | None = None
    is_poor: bool = False


@dataclass(frozen=True)
class _Profile:
    """The values below a heading: how many there are, and which share of them can be read as what.

    Numbers alone are dates in `serial_dates` only: a column of codes looks like days of Excel, too.
    """

    filled: int
    unique: float
    shares: Mapping[str, float]
    whole_percents: float
    serial_dates: float
    is_consecutive: bool
    median_year: float | None
    median_amount: float | None


@dataclass(frozen=True)
class _Fit:
    """How well values suit a column, 0..1, and the words for it."""

    score: float
    words: str


@dataclass(frozen=True)
class Proposal:
    """What is suggested for a file: a column for each heading, and the other keys of the section `census`.

    `missing` are the required columns for which no heading is a candidate. `last_day` is that of the last hire or exit
    in the file, where dates can be read.
    """

    columns: list[ColumnSuggestion]
    settings: list[SettingSuggestion]
    last_day: date | None = None

    @property
    def first_year(self) -> int | None:
        """The first year that can be simulated: the one after the last day in the file."""
        return None if self.last_day is None else self.last_day.year + 1

    @property
    def missing(self) -> list[str]:
        found = {s.standard_name for s in self.columns}
        return [column.name for column in REQUIRED_COLUMNS if column.name not in found]

    @property
    def mapping(self) -> dict[str, str]:
        """The headings by standard name that are sure enough to be written."""
        return {s.standard_name: s.heading for s in self.columns if s.standard_name and s.confidence >= CONFIDENT}

    @property
    def ignored(self) -> list[str]:
        """The headings that resemble a column and are surely not read: their values are blank or belie them."""
        return [s.heading for s in self.columns if s.standard_name is None and s.rival is not None and s.is_poor]

    @property
    def doubtful(self) -> list[ColumnSuggestion]:
        """The headings that are as good a candidate for their column as the chosen one."""
        return [s for s in self.columns if s.standard_name is None and s.rival is not None and not s.is_poor]


def suggest_mapping(path: Path, sheet: str | None = None, header_row: int | None = None) -> list[ColumnSuggestion]:
    """Return one suggestion per heading, in file order, judged by the heading and up to 20,000 rows below it.

    Raises CensusError when the file cannot be read.
    """
    return propose(path, sheet, header_row).columns


def propose(path: Path, sheet: str | None = None, header_row: int | None = None) -> Proposal:
    """Return what the section `census` of a configuration should say of a file.

    Without `sheet`, of several sheets that hold anything the one is taken that has the most known headings. Raises
    CensusError when the file cannot be read.
    """
    settings = []
    if sheet is None and path.suffix.lower() in (".xlsx", ".xls") and path.is_file():
        filled = excel.filled_sheets(path)
        if len(filled) > 1:
            sheet = _best_sheet(path, filled, header_row)
            settings.append(SettingSuggestion("sheet", sheet, "the sheet with the most known headings"))
    elif sheet is not None:
        settings.append(SettingSuggestion("sheet", sheet, "as asked for"))
    if header_row is not None:
        settings.append(SettingSuggestion("header_row", header_row, "as asked for"))
    source = CensusSource(path, sheet=sheet, header_row=header_row)
    with private_connection() as connection:
        file = open_census(connection, source)
        places = {f"c{place}": place for place, heading in enumerate(file.headings) if heading}
        read_rows(connection, file, places, mark_dates=False)
        epoch = excel.epoch(path) if file.kind == "excel" else None
        profiles = {place: _profile(connection, name, epoch) for name, place in places.items()}
        headings = {place: file.headings[place] for place in profiles}
        columns = _assign(headings, profiles)
        chosen = Proposal(columns, []).mapping
        positions = {name: file.headings.index(heading) for name, heading in chosen.items()}
        found, last_day = suggest_settings(connection, file, positions, epoch)
    return Proposal(columns, [*settings, *found], last_day)


def _best_sheet(path: Path, filled: Sequence[str], header_row: int | None) -> str:
    def weight(sheet: str) -> float:
        return find_heading_row(excel.read_sheet(path, sheet).rows[:SEARCHED_ROWS], header_row, ())[1]

    return max(filled, key=weight)


def mapping_yaml(proposal: Proposal) -> str:
    """Return the `census` keys that put the suggestions into force, each with its reason.

    Doubtful suggestions, and required columns that nothing resembles, are comments. Headings that look like a column
    for which another heading was surer are listed under `ignore_columns`.
    """
    return "census:\n" + "".join(block for _, block in yaml_blocks(proposal))


def yaml_blocks(proposal: Proposal) -> list[tuple[str, str]]:
    """Return the keys of the section with their YAML, indented below `census:`; a key of comments only is ''."""
    lines: list[str] = []
    sure = 0
    for suggestion in proposal.columns:
        name = suggestion.standard_name
        if name is None or name == suggestion.heading:
            continue
        confident = suggestion.confidence >= CONFIDENT
        sure += confident
        line = f"{'' if confident else '# '}{yaml_line(name, suggestion.heading)}"
        lines.append(f"    {line}  # {suggestion.confidence:.0%}: {suggestion.evidence}")
    found = {suggestion.standard_name for suggestion in proposal.columns}
    lines += [f"    # {c.name}: nothing resembles it" for c in REQUIRED_COLUMNS if c.name not in found]
    lines += [f"    # {yaml_line(str(s.rival), s.heading)}  # another candidate: choose one" for s in proposal.doubtful]
    blocks = [("columns", "\n".join(["  columns:" if sure else "  columns: {}", *lines]) + "\n")]
    if proposal.ignored:
        listed = [f"    - {quoted_heading(heading)}" for heading in proposal.ignored]
        blocks.append(("ignore_columns", "\n".join(["  ignore_columns:", *listed]) + "\n"))
    keys = dict.fromkeys(setting.key for setting in proposal.settings)
    return blocks + [_setting_block(key, [s for s in proposal.settings if s.key == key]) for key in keys]


def _setting_block(key: str, settings: Sequence[SettingSuggestion]) -> tuple[str, str]:
    """Return a key with its value on its line, or with a line for each column where one is sure and another is not."""
    if len(settings) == 1:
        (setting,) = settings
        line = f"{key}: {json.dumps(setting.value, ensure_ascii=False)}  # {setting.note}"
        return (key, f"  {line}\n") if setting.is_sure else ("", f"  # {line}\n")
    is_sure = any(setting.is_sure for setting in settings)
    lines = [f"  {key}:" if is_sure else f"  # {key}:"]
    for setting in settings:
        ((name, value),) = setting.value.items()
        mark = "    " if setting.is_sure else "    # " if is_sure else "  #   "
        lines.append(f"{mark}{name}: {json.dumps(value, ensure_ascii=False)}  # {setting.note}")
    return key if is_sure else "", "\n".join(lines) + "\n"


def _profile(connection: "duckdb.DuckDBPyConnection", name: str, epoch: date | None) -> _Profile:
    """Survey the first rows of one column of the raw view."""
    readable = {
        "money": f"{_read('employee_gross_compensation')} is not null",
        "rate": f"{_read('employee_deferral_rate')} between 0 and 1",
        "hours": f"{_read('scheduled_hours_per_week')} between 1 and 168",
        "level": f"{_read('level_id')} between 0 and 30",
        "boolean": f"{_read('auto_escalation_opt_out')} is not null",
        "active": f"{_read('active')} is not null",
        "method": f"{_read('enrollment_method')} is not null",
        "ssn": f"regexp_full_match(text, {text_literal(_SSN)})",
        "date": "day is not null and not regexp_full_match(text, '\\d{5}|\\d{8}')",
    }
    shares = ", ".join(f"coalesce(avg(({condition})::integer), 0)" for condition in readable.values())
    number = f"try_cast({_read('employee_gross_compensation')} as decimal(18,2))"
    filled, unique, whole_percents, serial_dates, consecutive, median_year, median_amount, *found = fetch_one(
        connection,
        f"""
        with texts as (
            select {name} as text, {day_text(name)} as text_day
            from {RAW_VIEW} where {name} is not null limit {SAMPLE_ROWS}
        ),
        days as (select text, {in_range(guess_date(epoch))} as day from texts)
        select
            count(*),
            coalesce(count(distinct text) / count(*), 0),
            coalesce(avg((coalesce({_read("employee_deferral_rate")}, -1) between 0 and 100)::integer), 0),
            coalesce(avg((day is not null)::integer), 0),
            coalesce(
                count(distinct {number}) = count(*) and max({number}) - min({number}) + 1 = count(*) and count(*) > 2,
                false
            ),
            median(year(day)),
            median({_read("employee_gross_compensation")}),
            {shares}
        from days
        """,
    )
    return _Profile(
        filled,
        unique,
        {kind: float(share or 0) for kind, share in zip(readable, found, strict=True)},
        float(whole_percents),
        float(serial_dates),
        bool(consecutive),
        None if median_year is None else float(median_year),
        None if median_amount is None else float(median_amount),
    )


def _assign(headings: Mapping[int, str], profiles: Mapping[int, _Profile]) -> list[ColumnSuggestion]:
    """Pair headings with columns, the surest pair first; ties go to the earlier heading, then the earlier column."""
    matches = {place: [match_name(h, column).score for column in COLUMNS] for place, h in headings.items()}
    named = {place for place, h in headings.items() if any(matches[place]) or is_other(h)}
    claimed = {
        column.name for at, column in enumerate(COLUMNS) if any(scores[at] >= 0.9 for scores in matches.values())
    }
    date_years = _date_years(matches, profiles)
    candidates = []
    for place, heading in headings.items():
        for order, column in enumerate(COLUMNS):
            by_values = place not in named and column.name not in claimed
            suggestion = _judge_pair(heading, column, profiles[place], date_years, by_values=by_values)
            if suggestion.confidence >= WORTH_NAMING:
                candidates.append((-suggestion.confidence, place, order, suggestion))
    candidates.sort(key=lambda candidate: candidate[:3])
    chosen: dict[int, ColumnSuggestion] = {}
    taken: set[str | None] = set()
    for _, place, _, suggestion in candidates:
        if place not in chosen and suggestion.standard_name not in taken:
            chosen[place] = suggestion
            taken.add(suggestion.standard_name)
    best = {place: suggestion for _, place, _, suggestion in reversed(candidates)}
    return [
        chosen.get(place) or _left_over(heading, best.get(place), profiles[place])
        for place, heading in headings.items()
    ]


def _left_over(heading: str, best: ColumnSuggestion | None, profile: _Profile) -> ColumnSuggestion:
    """Return the suggestion for a heading whose columns all have a surer one."""
    nothing = "neither its name nor its values point to a standard column that is still free"
    rival = nearest_column(heading)
    poor = not profile.filled or best is None or best.confidence < CONFIDENT
    return ColumnSuggestion(heading, None, 0.0, nothing, rival, is_poor=poor)


def _date_years(matches: Mapping[int, Sequence[float]], profiles: Mapping[int, _Profile]) -> list[float]:
    """Return the median years of the date columns, of those whose heading says that they are some if any does."""
    dates = [at for at, column in enumerate(COLUMNS) if column.kind == "date"]
    named = [p for place, p in profiles.items() if any(matches[place][at] >= 0.9 for at in dates)]
    years = [p.median_year for p in named if p.serial_dates > 0.5 and p.median_year is not None]
    if len(years) > 1:
        return years
    return [p.median_year for p in profiles.values() if p.shares["date"] > 0.5 and p.median_year is not None]


def _judge_pair(
    heading: str, column: Column, profile: _Profile, date_years: Sequence[float], *, by_values: bool
) -> ColumnSuggestion:
    """Judge one pair; values alone count `by_values` only: where neither the heading nor another one names a column."""
    name = match_name(heading, column)
    fit = _fit(column, profile, date_years, is_named=name.score > 0)
    if name.score == 1:
        confidence = 1.0
    elif name.score > 0:
        confidence = min(0.99, name.score * (0.3 + 0.7 * fit.score) + (1 - name.score) * 0.3 * fit.score)
    elif profile.filled and fit.score > 0.5 and by_values:
        confidence = VALUES_ALONE.get(column.name, 0.0) * fit.score
    else:
        confidence = 0.0
    return ColumnSuggestion(heading, column.name, round(confidence, 2), f"{name.reason}; {fit.words}")


def _fit(column: Column, profile: _Profile, date_years: Sequence[float], *, is_named: bool) -> _Fit:
    if not profile.filled:
        return _Fit(0.5, "there are no values to judge by")
    if column.name == "employee_ssn":
        return _share_fit(profile, "ssn", "have nine digits")
    if column.name == "employee_id":
        return _identity_fit(profile)
    if column.kind == "text":
        repeated = profile.unique <= 0.5 or profile.filled < 10
        return _Fit(0.9 if repeated else 0.4, "the values repeat" if repeated else "the values hardly repeat")
    if column.kind == "date":
        return _date_fit(column, profile, date_years, is_named=is_named)
    if column.kind == "level" and is_named and profile.shares["level"] == 0 and profile.unique <= 0.5:
        return _Fit(0.8, "the values are codes that repeat (census.values)")
    if column.kind == "rate" and profile.shares["rate"] < 0.5 < profile.whole_percents:
        return _Fit(0.8, "the values look like whole percents (census.units)")
    if column.name == "employee_gross_compensation" and profile.median_amount is not None:
        low, high = _USUAL_PAY
        if profile.is_consecutive and not is_named:
            return _Fit(0.1, "the values count up one by one, like ids")
        if is_named and profile.median_amount > 0 and profile.median_amount < low:
            return _Fit(0.6, f"the median of {profile.median_amount:,.2f} is no annual pay (census.units)")
        if not low <= profile.median_amount <= high:
            return _Fit(0.2, f"the median of {profile.median_amount:,.2f} is no usual annual pay")
    return _share_fit(profile, "active" if column.name == "active" else column.kind, f"are {READABLE[column.kind]}")


def _share_fit(profile: _Profile, kind: str, words: str) -> _Fit:
    share = profile.shares[kind]
    return _Fit(share, f"{share:.0%} of the values {words}")


def _identity_fit(profile: _Profile) -> _Fit:
    if profile.shares["ssn"] > 0.5:
        return _Fit(0.3, "the values look like social security numbers")
    if profile.shares["date"] > 0.5:
        return _Fit(0.1, "the values are dates")
    words = "all values differ" if profile.unique == 1 else f"{1 - profile.unique:.0%} of the values repeat another one"
    return _Fit(1.0 if profile.unique == 1 else 0.5 * profile.unique, words)


def _date_fit(column: Column, profile: _Profile, date_years: Sequence[float], *, is_named: bool) -> _Fit:
    """Births lie a working life's beginning before the other dates; everything else does not."""
    share = profile.serial_dates if is_named else profile.shares["date"]
    fit = _Fit(share, f"{share:.0%} of the values are dates")
    if profile.median_year is None or len(date_years) < 2:
        return fit
    oldest = profile.median_year == min(date_years)
    apart = max(date_years) - min(date_years) >= _GENERATION_YEARS
    typical = f"around {profile.median_year:.0f}"
    if column.name == "employee_birth_date":
        suits = oldest and apart
        contrast = "older than the other dates" if suits else "not older than the other dates"
    else:
        suits = not (oldest and apart)
        contrast = "as late as the other dates" if suits else "much older than the other dates"
    return _Fit(fit.score if suits else 0.3 * fit.score, f"{fit.words}, {typical}, {contrast}")


def _read(standard_name: str) -> str:
    return f"({read_value(COLUMNS_BY_NAME[standard_name], 'text')})"
