-- The year's hires: level, hire date, birth date, hours and pay. People who are acquired are hires, too, of whom all is
-- known.
-- Target = the level's target pay x this year's structure factor, or (minimum + (maximum - minimum) x percentile) x
-- market factor of its range. Full-time pay = target x exp(sd x z), kept inside the range; a part-timer's is its share.
-- The birth date is the hire date less the drawn age, less up to 364 days: the age at hire is the drawn one.
-- Long because hires are drawn step by step, and acquired people are read beside them.
with

numbered as (
    select
        level_id,
        unnest(range(1, hires + 1)) as hire_number
    from {{ ref('int_hire_levels') }}
),

named as (
    select
        level_id,
        format('NH_{}_{}_{:06d}', {{ param('simulation_year') }}, level_id, hire_number) as employee_id
    from numbered
),

keys as (
    select
        level_id,
        employee_id,
        {{ draw_key('hire_date', 'employee_id') }} as date_key,
        {{ draw_key('hire_age', 'employee_id') }} as age_key,
        {{ draw_key('hire_pay', 'employee_id') }} as pay_key,
        {{ draw_key('hire_hours', 'employee_id') }} as hours_key
    from named
),

ages as (
    select
        age,
        (sum(weight) over (order by age) - weight)::double as lower_bound,
        (sum(weight) over (order by age))::double as upper_bound
    from {{ parameters('new_hire_ages') }}
),

drawn as (
    select
        keys.employee_id,
        keys.level_id,
        ages.age,
        months.month_start + floor({{ draw2('keys.date_key') }} * months.days)::integer as hire_date,
        floor({{ draw2('keys.age_key') }} * 365)::integer as days_since_birthday,
        round(
            sqrt(-2 * ln(1 - {{ draw('keys.pay_key') }})) * cos(2 * pi() * {{ draw2('keys.pay_key') }}),
            12
        ) as normal_deviate,
        case
            when {{ draw('keys.hours_key') }} < hours.part_time_share::double then hours.part_time_hours_per_week
            else {{ param('new_hire_full_time_hours_per_week') }}
        end as scheduled_hours_per_week
    from keys
    cross join {{ parameters('new_hire_hours') }} as hours
    inner join {{ ref('stg_month_weights') }} as months
        on
            months.purpose = 'hire'
            and {{ draw('keys.date_key') }} >= months.lower_bound
            and {{ draw('keys.date_key') }} < months.upper_bound
    inner join ages
        on
            {{ draw('keys.age_key') }} >= ages.lower_bound
            and {{ draw('keys.age_key') }} < ages.upper_bound
),

targets as (
    select
        levels.level_id,
        coalesce(
            levels.new_hire_target_pay::double * calendar.structure_factor::double,
            (
                ranges.range_minimum + (ranges.range_maximum - ranges.range_minimum) * levels.new_hire_percentile
            )::double
            * levels.new_hire_market_factor::double
        ) as target,
        levels.new_hire_log_sd,
        ranges.range_minimum,
        ranges.range_maximum
    from {{ ref('stg_job_levels') }} as levels
    cross join {{ ref('stg_calendar') }} as calendar
    inner join {{ ref('stg_pay_ranges') }} as ranges
        on levels.level_id = ranges.level_id
),

paid as (
    select
        drawn.employee_id,
        drawn.level_id,
        drawn.hire_date,
        ((drawn.hire_date - to_years(drawn.age))::date - drawn.days_since_birthday)::date as birth_date,
        drawn.scheduled_hours_per_week,
        least(
            greatest(
                round(targets.target * exp(targets.new_hire_log_sd * drawn.normal_deviate), 2)::decimal(18, 2),
                targets.range_minimum
            ),
            targets.range_maximum
        ) as full_time_pay
    from drawn
    inner join targets
        on drawn.level_id = targets.level_id
)

select
    employee_id,
    'new_hire' as hire_category,
    level_id,
    hire_date,
    hire_date as service_date,
    birth_date,
    scheduled_hours_per_week,
    {{ pay_for_hours('full_time_pay', 'scheduled_hours_per_week') }} as compensation,
    null::varchar as department,
    null::varchar as location,
    null::varchar as employee_class,
    null::varchar as sex,
    null::date as announced_termination_date,
    false as auto_escalation_opt_out,
    false as is_five_percent_owner
from paid

union all

select
    employee_id,
    'acquired' as hire_category,
    level_id,
    acquired_on as hire_date,
    employee_service_date as service_date,
    employee_birth_date as birth_date,
    scheduled_hours_per_week,
    compensation,
    department,
    location,
    employee_class,
    sex,
    announced_termination_date,
    auto_escalation_opt_out,
    is_five_percent_owner
from {{ ref('int_acquired') }}
