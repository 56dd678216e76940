-- The yearly raise: merit by level plus the COLA, on the rate in force on the raise date.
-- Everyone of the opening population who is employed on that date and has completed the required months of service by
-- the end of the year. The date follows the month profile, is one fixed date, or the hire anniversary, and not before
-- the day on which the service is completed. With less than a year of service the raise is prorated: days / 365 of it.
-- On one day a promotion comes before the raise; whoever is employed on the raise date was so on an earlier promotion
-- date.
-- Long because the drawn date, the day the service is completed and the budget each need the one before.
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

drawn as (
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
        end as drawn_date,
        (opening.employee_hire_date + to_months({{ param('raise_minimum_service_months') }}))::date as service_reached,
        calendar.year_end
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

dated as (
    select
        employee_id,
        level_id,
        compensation,
        greatest(drawn_date, service_reached) as raise_date,
        least(greatest(drawn_date, service_reached) - employee_hire_date, 365) as service_days
    from drawn
    where
        service_reached <= year_end
        and (termination_date is null or termination_date >= greatest(drawn_date, service_reached))
),

eligible as (
    select
        dated.employee_id,
        dated.raise_date,
        dated.service_days,
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
),

-- merit by level in the configured shape, scaled so that the payroll-weighted average of the full raises is the budget
payroll as (
    select
        eligible.level_id,
        levels.merit_shape,
        sum(eligible.compensation_before) as payroll,
        coalesce(sum(eligible.compensation_before) filter (where eligible.service_days = 365), 0) as full_payroll
    from eligible
    inner join {{ ref('stg_job_levels') }} as levels
        on eligible.level_id = levels.level_id
    group by {{ world('eligible') }} eligible.level_id, levels.merit_shape
),

-- where every raise is prorated there is no full one to scale by
scaled as (
    select
        payroll.level_id,
        payroll.merit_shape,
        case when sum(payroll.full_payroll) over () > 0 then payroll.full_payroll else payroll.payroll end as payroll
    from payroll
),

rates as (
    select
        scaled.level_id,
        calendar.cola_rate,
        round(
            ({{ param('merit_budget') }} * scaled.merit_shape)::double
            * (sum(scaled.payroll) over ())::double
            / (sum(scaled.payroll * scaled.merit_shape) over ())::double,
            12
        )::decimal(18, 12) as merit_rate
    from scaled
    cross join {{ ref('stg_calendar') }} as calendar
),

merit as (
    select
        level_id,
        merit_rate + cola_rate as full_raise,
        concat('{"cola_rate":', cola_rate, ',"merit_rate":', merit_rate, '}') as event_details
    from rates
),

granted as (
    select
        eligible.*,
        case
            when eligible.service_days = 365 then merit.full_raise
            else round(merit.full_raise::decimal(38, 12) * eligible.service_days / 365, 12)::decimal(18, 12)
        end as raise_rate,
        merit.event_details
    from eligible
    inner join merit
        on eligible.level_id = merit.level_id
)

select
    employee_id,
    raise_date,
    level_id,
    case when service_days = 365 then 'merit_and_cola' else 'prorated' end as raise_category,
    compensation_before,
    round(compensation_before::decimal(38, 2) * (1 + raise_rate), 2)::decimal(18, 2) as compensation_after,
    case
        when service_days = 365 then event_details
        else concat(left(event_details, -1), ',"service_days":', service_days, '}')
    end as event_details
from granted
