-- Who may be promoted on the promotion date: below the top level, with enough completed service and young enough
-- then. The rate is that of structure `rates`: min(1, base x age multiplier x tenure multiplier x level factor x rate
-- multiplier). The weight is that of structure `positions`: age multiplier x tenure multiplier x (0.5 + position in
-- the pay range of the level, kept within 0 to 1), with the key of an exponential race, -ln(1 - u) / weight. Age and
-- service are those of the date, pay is full-time pay of 1 January. Increase rate = base +- spread (uniform), at most
-- the maximum.
with

eligible as (
    select
        opening.employee_id,
        opening.level_id,
        opening.scheduled_hours_per_week,
        {{ full_time_pay('opening.compensation', 'opening.scheduled_hours_per_week') }} as full_time_pay,
        levels.next_level_id,
        levels.promotion_factor,
        {{ completed_years('opening.employee_birth_date', 'calendar.promotion_date') }} as age,
        {{ completed_years('opening.employee_service_date', 'calendar.promotion_date') }} as completed_years,
        calendar.promotion_date,
        exits.employee_id is null as is_staying,
        {{ draw_key('promotion', 'opening.employee_id') }} as draw_key
    from {{ ref('int_opening_workforce') }} as opening
    cross join {{ ref('stg_calendar') }} as calendar
    inner join {{ ref('stg_job_levels') }} as levels
        on opening.level_id = levels.level_id
    left join {{ ref('int_exits') }} as exits
        on opening.employee_id = exits.employee_id
    where
        levels.next_level_id is not null
        and {{ completed_years('opening.employee_service_date', 'calendar.promotion_date') }}
        >= {{ param('promotion_minimum_service_years') }}
        and {{ completed_years('opening.employee_birth_date', 'calendar.promotion_date') }}
        < {{ param('promotion_maximum_age') }}
),

weighted as (
    select
        eligible.employee_id,
        eligible.level_id,
        eligible.next_level_id,
        eligible.scheduled_hours_per_week,
        eligible.promotion_date,
        eligible.is_staying,
        least(
            1,
            round(
                {{ param('promotion_base_rate') }}::double
                * {{ param('promotion_rate_multiplier') }}::double
                * ages.promotion_multiplier * tenures.promotion_multiplier * eligible.promotion_factor,
                12
            )
        ) as promotion_rate,
        round(
            ages.promotion_multiplier * tenures.promotion_multiplier
            * (
                0.5
                + least(
                    greatest(
                        coalesce(
                            (eligible.full_time_pay - ranges.range_minimum)::double
                            / nullif(ranges.range_maximum - ranges.range_minimum, 0)::double,
                            0
                        ),
                        0
                    ),
                    1
                )
            ),
            12
        ) as weight,
        {{ draw('eligible.draw_key') }} as promotion_draw,
        {{ draw2('eligible.draw_key') }} as increase_draw
    from eligible
    inner join {{ ref('stg_age_segments') }} as ages
        on eligible.age = ages.age
    inner join {{ ref('stg_tenure_segments') }} as tenures
        on eligible.completed_years = tenures.completed_years
    inner join {{ ref('stg_pay_ranges') }} as ranges
        on eligible.level_id = ranges.level_id
)

select
    employee_id,
    level_id,
    next_level_id,
    scheduled_hours_per_week,
    promotion_date,
    is_staying,
    promotion_rate,
    weight::decimal(18, 12) as weight,
    promotion_draw,
    case when weight > 0 then round(-ln(1 - promotion_draw) / weight, 12) else 'infinity'::double end as race_key,
    least(
        {{ param('promotion_base_increase') }}::double
        + {{ param('promotion_increase_spread') }}::double * (2 * increase_draw - 1),
        {{ param('promotion_maximum_increase_rate') }}::double
    )::decimal(9, 6) as increase_rate
from weighted
