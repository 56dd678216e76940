"""Says what to do when an amount has become too large to be computed with, instead of what DuckDB says of it alone."""

_SIGNS = ("Out of Range Error", "Could not cast value", "Could not convert string")
_ADVICE = (
    "an amount or a factor has become larger than can be computed with. Look at the largest pay and balances of the "
    "census, and at what lets them grow: the rates of `compensation`, plan.annual_return, the rates of `irs_limits`, "
    "and simulation.end_year"
)


def explained(message: str) -> str:
    """Return an error message of DuckDB, and before it what to look at where it tells of an overflow."""
    return f"{_ADVICE} ({message})" if any(sign in message for sign in _SIGNS) else message
