-- The yearly raise: merit by level plus the COLA, on the rate in force on the raise date.
-- Everyone of the opening population who is employed and has completed the required service on that date. The date
-- follows the month profile, is one fixed date, or the hire anniversary. On one day a promotion comes before the raise;
-- whoever is employed on the raise date was so on an earlier promotion date.
with

keys as (
    select
        employee_id,
        employee_hire_date,
        level_id,
        compensation,
        {{ draw_key('raise_date', 'employee_id') }} as draw_key
    from {{ ref('int_opening_workforce') }}
),

dated as (
    select
        opening.employee_id,
        opening.employee_hire_date,
        opening.level_id,
        opening.compensation,
        exits.termination_date,
        case {{ param('raise_methodology') }}
            when 'fixed' then calendar.fixed_raise_date
            when 'anniversary'
                then {{ date_in_year(
                    'calendar.simulation_year', 'month(opening.employee_hire_date)', 'day(opening.employee_hire_date)'
                ) }}
            when 'realistic'
                then months.month_start + floor({{ draw2('opening.draw_key') }} * months.days)::integer
        end as raise_date
    from keys as opening
    cross join {{ ref('stg_calendar') }} as calendar
    inner join {{ ref('stg_month_weights') }} as months
        on
            months.purpose = 'raise'
            and {{ draw('opening.draw_key') }} >= months.lower_bound
            and {{ draw('opening.draw_key') }} < months.upper_bound
    left join {{ ref('int_exits') }} as exits
        on opening.employee_id = exits.employee_id
),

eligible as (
    select
        dated.employee_id,
        dated.raise_date,
        case
            when promotions.promotion_date <= dated.raise_date then promotions.level_after
            else dated.level_id
        end as level_id,
        case
            when promotions.promotion_date <= dated.raise_date
                then {{ promoted_pay(
                    'dated.compensation', 'promotions.increase_rate', 'promotions.new_range_minimum'
                ) }}
            else dated.compensation
        end as compensation_before
    from dated
    left join {{ ref('int_promotion_decisions') }} as promotions
        on dated.employee_id = promotions.employee_id
    where
        {{ completed_years('dated.employee_hire_date', 'dated.raise_date') }}
        >= {{ param('raise_minimum_service_years') }}
        and (dated.termination_date is null or dated.termination_date >= dated.raise_date)
),

-- merit by level in the configured shape, scaled so that the payroll-weighted average is the budget
payroll as (
    select
        eligible.level_id,
        levels.merit_shape,
        sum(eligible.compensation_before) as payroll
    from eligible
    inner join {{ ref('stg_job_levels') }} as levels
        on eligible.level_id = levels.level_id
    group by eligible.level_id, levels.merit_shape
),

rates as (
    select
        payroll.level_id,
        calendar.cola_rate,
        round(
            ({{ param('merit_budget') }} * payroll.merit_shape)::double
            * (sum(payroll.payroll) over ())::double
            / (sum(payroll.payroll * payroll.merit_shape) over ())::double,
            12
        )::decimal(18, 12) as merit_rate
    from payroll
    cross join {{ ref('stg_calendar') }} as calendar
),

merit as (
    select
        level_id,
        1 + merit_rate + cola_rate as growth,
        concat('{"cola_rate":', cola_rate, ',"merit_rate":', merit_rate, '}') as event_details
    from rates
)

select
    eligible.employee_id,
    eligible.raise_date,
    eligible.level_id,
    eligible.compensation_before,
    round(eligible.compensation_before::decimal(38, 2) * merit.growth, 2)::decimal(18, 2) as compensation_after,
    merit.event_details
from eligible
inner join merit
    on eligible.level_id = merit.level_id
