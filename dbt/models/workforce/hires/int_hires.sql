-- The year's hires: level, hire date, birth date, hours and pay.
-- Pay = (minimum + (maximum - minimum) x percentile) x market factor of the level's range, times exp(sd x z), kept
-- inside the range. The birth date is the hire date less the drawn age, less up to 364 days: the age at hire is the
-- drawn one.
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
    from {{ source('parameters', 'new_hire_ages') }}
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
        {{ draw('keys.hours_key') }} < {{ param('new_hire_part_time_share') }}::double as is_part_time
    from keys
    inner join {{ ref('stg_month_weights') }} as months
        on
            months.purpose = 'hire'
            and {{ draw('keys.date_key') }} >= months.lower_bound
            and {{ draw('keys.date_key') }} < months.upper_bound
    inner join ages
        on
            {{ draw('keys.age_key') }} >= ages.lower_bound
            and {{ draw('keys.age_key') }} < ages.upper_bound
)

select
    drawn.employee_id,
    drawn.level_id,
    drawn.hire_date,
    ((drawn.hire_date - to_years(drawn.age))::date - drawn.days_since_birthday)::date as birth_date,
    case
        when drawn.is_part_time then {{ param('new_hire_part_time_hours_per_week') }}
        else {{ param('new_hire_full_time_hours_per_week') }}
    end as scheduled_hours_per_week,
    least(
        greatest(
            round(
                (
                    ranges.range_minimum
                    + (ranges.range_maximum - ranges.range_minimum) * levels.new_hire_percentile
                )::double
                * levels.new_hire_market_factor::double
                * exp({{ param('new_hire_pay_noise_sd') }}::double * drawn.normal_deviate),
                2
            )::decimal(18, 2),
            ranges.range_minimum
        ),
        ranges.range_maximum
    ) as compensation
from drawn
inner join {{ ref('stg_job_levels') }} as levels
    on drawn.level_id = levels.level_id
inner join {{ ref('stg_pay_ranges') }} as ranges
    on drawn.level_id = ranges.level_id
