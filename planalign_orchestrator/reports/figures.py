"""The key figures as reports show them, from the register that `fct_annual_metrics` is made from."""

from dataclasses import dataclass
from functools import cache

from planalign_orchestrator.model import load_compiled_model

METRICS = "fct_annual_metrics"


@dataclass(frozen=True)
class KeyFigure:
    """What the register says of a key figure.

    `unit` is people, events, rate, USD or USD a year. `table` is the table that shows the figure year by year (pay,
    plan or employer), `column` its heading there, `headline` its heading in an executive report; None where the figure
    is not shown. The leading figures are the first columns of a summary. Some exist for groups of people, too.
    """

    name: str
    unit: str
    description: str
    table: str | None
    column: str | None
    headline: str | None
    is_leading: bool
    is_by_group: bool

    @property
    def is_rate(self) -> bool:
        """Whether it is shown in percent."""
        return self.unit == "rate"


@cache
def key_figures() -> tuple[KeyFigure, ...]:
    """Return every key figure, in the order of reports. Errors: those of `load_compiled_model`."""
    (mart,) = (model for model in load_compiled_model().marts if model.name == METRICS)
    return tuple(
        KeyFigure(
            name=row["name"],
            unit=row["unit"],
            description=row["description"],
            table=row.get("table"),
            column=row.get("column"),
            headline=row.get("headline"),
            is_leading=row.get("leading", False),
            is_by_group=(row.get("of") == "people" and not row.get("with_limits")) or row.get("by_group", False),
        )
        for row in mart.register
    )


def headlines() -> dict[str, KeyFigure]:
    """Return what an executive report shows of each year besides the failed checks, by heading."""
    return {figure.headline: figure for figure in key_figures() if figure.headline is not None}


def columns_of(table: str) -> dict[str, KeyFigure]:
    """Return the columns of a table, by heading."""
    return {figure.column: figure for figure in key_figures() if figure.table == table and figure.column is not None}


def leading_names() -> tuple[str, ...]:
    """Return the figures of the first columns of a summary."""
    return tuple(figure.name for figure in key_figures() if figure.is_leading)
