-- One row: the headcount to close the year with, and how many people must leave for it besides those laid off.
--   target = the positions of all levels on the headcount path, exits = round((opening - layoffs) x exit rate), half
-- away from zero; with announced exits that lower the target, these come on top and the rate is of the others.
-- Announced exits, deaths, disability and retirements count within the year's exits; only the rest is drawn by hazard.
-- Retirements are floor(sum of the yearly rates of those still here + u), less the announced exits of people of 55 and
-- older. Exits grow where these are more, and where fewer would leave more people than the target (exact mode).
-- Long because every kind of exit has its count.
with

opening as (
    select
        count(*) as opening_headcount,
        count(*) filter (
            where opening.announced_termination_date between calendar.year_start and calendar.year_end
        ) as announced_exits,
        count(*) filter (
            where
            opening.announced_termination_date between calendar.year_start and calendar.year_end
            and opening.age >= 55
        ) as announced_at_55
    from {{ ref('int_opening_workforce') }} as opening
    cross join {{ ref('stg_calendar') }} as calendar
    anti join {{ ref('int_reductions') }} as reductions
        on opening.employee_id = reductions.employee_id
),

laid_off as (
    select count(employee_id) as layoffs
    from {{ ref('int_reductions') }}
),

acquired as (
    select count(*) as people
    from {{ ref('int_acquired') }}
),

path as (
    select sum(positions)::bigint as target_headcount
    from {{ ref('int_level_targets') }}
),

-- the fraction of a retirement is drawn for nobody in particular
nobody as (
    select '' as employee_id
),

decrements as (
    select count(*) as drawn_decrements
    from {{ ref('int_decrements') }}
),

-- nobody both dies and becomes disabled
decrement_rates as (
    select coalesce(sum(death_rate + disability_rate * (1 - death_rate)), 0) as expected_decrements
    from {{ ref('int_decrement_draws') }}
),

drawable as (
    select
        count(*) as drawable,
        coalesce(sum(retirement_rate::decimal(9, 6)), 0) as retirement_rates
    from {{ ref('int_exit_hazard') }}
),

rates as (
    select
        opening.opening_headcount + laid_off.layoffs as opening_headcount,
        opening.opening_headcount as staying_headcount,
        opening.announced_exits,
        decrements.drawn_decrements,
        decrement_rates.expected_decrements,
        drawable.drawable,
        drawable.retirement_rates,
        greatest(drawable.retirement_rates - opening.announced_at_55, 0) as expected_retirements,
        greatest(
            floor(
                drawable.retirement_rates::double + {{ draw(draw_key('retirement_count', 'nobody.employee_id')) }}
            )::bigint
            - opening.announced_at_55,
            0
        ) as drawn_retirements,
        case
            when {{ param('announced_exits') }} = 'lower_target'
                then
                    opening.announced_exits
                    + (opening.opening_headcount - opening.announced_exits) * {{ param('total_termination_rate') }}
            else opening.opening_headcount * {{ param('total_termination_rate') }}
        end::decimal(38, 6) as expected_exits,
        path.target_headcount,
        acquired.people as acquired_headcount
    from opening
    cross join acquired
    cross join laid_off
    cross join path
    cross join decrements
    cross join decrement_rates
    cross join drawable
    cross join nobody
),

exact as (
    select
        *,
        greatest(
            round(expected_exits, 0)::bigint,
            announced_exits + drawn_decrements + drawn_retirements,
            staying_headcount - (target_headcount - acquired_headcount)
        ) as exits
    from rates
)

select
    opening_headcount,
    acquired_headcount,
    target_headcount,
    announced_exits,
    expected_exits,
    drawn_decrements,
    expected_decrements,
    drawn_retirements,
    expected_retirements,
    round(coalesce({{ ratio('expected_retirements::double', 'retirement_rates::double') }}, 0), 12) as retirement_scale,
    case
        when {{ param('headcount_mode') }} = 'exact' and exits - announced_exits - drawn_decrements > drawable
            then error(
                'PLANALIGN_CONFIGURATION workforce.total_termination_rate: ' || exits || ' of ' || staying_headcount
                || ' people must leave to close the year ' || {{ param('simulation_year') }} || ' with '
                || target_headcount || ', but ' || announced_exits || ' announced exits, ' || drawn_decrements
                || ' deaths and disabilities and ' || drawable
                || ' other people without an announced date are all there are: exits = max(round(opening x exit rate), '
                || 'announced + deaths and disabilities + retirements, opening - target); lower the exit rate or raise '
                || 'simulation.target_growth_rate'
            )::bigint
        else exits - announced_exits - drawn_decrements - drawn_retirements
    end as other_exits
from exact
