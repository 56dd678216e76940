-- Who is promoted on the promotion date if still employed then, and by what rate the pay goes up.
-- Eligible: below the top level, enough completed service and young enough on that date. Probability =
-- min(1, base x age multiplier x tenure multiplier x level factor x rate multiplier), age and service on that date.
-- Increase rate = base +- spread (uniform), at most the maximum.
with

eligible as (
    select
        opening.employee_id,
        opening.level_id,
        levels.next_level_id,
        levels.promotion_factor,
        {{ completed_years('opening.employee_birth_date', 'calendar.promotion_date') }} as age,
        {{ completed_years('opening.employee_hire_date', 'calendar.promotion_date') }} as completed_years,
        calendar.promotion_date,
        {{ draw_key('promotion', 'opening.employee_id') }} as draw_key
    from {{ ref('int_opening_workforce') }} as opening
    cross join {{ ref('stg_calendar') }} as calendar
    inner join {{ ref('stg_job_levels') }} as levels
        on opening.level_id = levels.level_id
    where
        levels.next_level_id is not null
        and {{ completed_years('opening.employee_hire_date', 'calendar.promotion_date') }}
        >= {{ param('promotion_minimum_service_years') }}
        and {{ completed_years('opening.employee_birth_date', 'calendar.promotion_date') }}
        < {{ param('promotion_maximum_age') }}
),

probabilities as (
    select
        eligible.employee_id,
        eligible.level_id,
        eligible.next_level_id,
        eligible.promotion_date,
        least(
            1,
            round(
                {{ param('promotion_base_rate') }}::double
                * {{ param('promotion_rate_multiplier') }}::double
                * ages.promotion_multiplier * tenures.promotion_multiplier * eligible.promotion_factor,
                12
            )
        ) as promotion_probability,
        {{ draw('eligible.draw_key') }} as promotion_draw,
        {{ draw2('eligible.draw_key') }} as increase_draw
    from eligible
    inner join {{ ref('stg_age_segments') }} as ages
        on eligible.age = ages.age
    inner join {{ ref('stg_tenure_segments') }} as tenures
        on eligible.completed_years = tenures.completed_years
)

select
    probabilities.employee_id,
    probabilities.promotion_date,
    probabilities.level_id as level_before,
    probabilities.next_level_id as level_after,
    probabilities.promotion_probability::decimal(9, 6) as promotion_probability,
    probabilities.promotion_draw,
    least(
        {{ param('promotion_base_increase') }}::double
        + {{ param('promotion_increase_spread') }}::double * (2 * probabilities.increase_draw - 1),
        {{ param('promotion_maximum_increase_rate') }}::double
    )::decimal(9, 6) as increase_rate,
    ranges.range_minimum as new_range_minimum
from probabilities
inner join {{ ref('stg_pay_ranges') }} as ranges
    on probabilities.next_level_id = ranges.level_id
where probabilities.promotion_draw < probabilities.promotion_probability
