-- One row: the headcount to close the year with, and how many people must leave for it.
--   target = round(opening x (1 + growth)), exits = round(opening x exit rate), both half away from zero.
-- Where the exits that the rate asks for leave more people than the target, exits grow until they do not (exact mode).
-- Announced exits count within the year's exits; only the rest is drawn.
with

opening as (
    select
        count(*) as opening_headcount,
        count(*) filter (
            where opening.announced_termination_date between calendar.year_start and calendar.year_end
        ) as announced_exits,
        count(*) filter (where opening.announced_termination_date is null) as drawable
    from {{ ref('int_opening_workforce') }} as opening
    cross join {{ ref('stg_calendar') }} as calendar
),

rates as (
    select
        opening_headcount,
        announced_exits,
        drawable,
        (opening_headcount * {{ param('total_termination_rate') }})::decimal(38, 6) as expected_exits,
        round(opening_headcount * (1 + {{ param('target_growth_rate') }}), 0)::bigint
            as target_headcount
    from opening
),

exact as (
    select
        opening_headcount,
        announced_exits,
        drawable,
        expected_exits,
        target_headcount,
        greatest(
            round(expected_exits, 0)::bigint,
            announced_exits,
            opening_headcount - target_headcount
        ) as exits
    from rates
)

select
    opening_headcount,
    target_headcount,
    announced_exits,
    expected_exits,
    case
        when {{ param('headcount_mode') }} = 'exact' and exits - announced_exits > drawable
            then error(
                'PLANALIGN_CONFIGURATION workforce.total_termination_rate: ' || exits || ' of ' || opening_headcount
                || ' people must leave to close the year ' || {{ param('simulation_year') }} || ' with '
                || target_headcount || ', but ' || announced_exits || ' announced exits and ' || drawable
                || ' people without an announced date are all there are: exits = max(round(opening x exit rate), '
                || 'announced, opening - target); lower the exit rate or raise simulation.target_growth_rate'
            )::bigint
        else exits - announced_exits
    end as drawn_exits
from exact
