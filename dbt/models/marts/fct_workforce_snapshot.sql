-- Everyone employed at any time in the year, as of 31 December or the exit: the fold of the opening population and the
-- year's events.
-- Paid compensation = sum over rate segments of rate x days / days in the year. Written as a fold it is
-- opening rate x last day + sum of (change x days from the change to the last day), both ends paid.
with

calendar as (
    select * from {{ ref('stg_calendar') }}
),

people as (
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        level_id,
        compensation,
        scheduled_hours_per_week,
        false as is_new_hire
    from {{ ref('int_opening_workforce') }}
    union all
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        entry_level_id as level_id,
        0::decimal(18, 2) as compensation,
        scheduled_hours_per_week,
        true as is_new_hire
    from {{ ref('dim_employee') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }}
        and origin = 'hire'
),

events as (
    select
        employee_id,
        max(effective_date) filter (where event_type = 'termination') as termination_date,
        max(event_category) filter (where event_type = 'termination') as termination_reason,
        arg_max(level_after, event_sequence) as level_id,
        sum(compensation_after - coalesce(compensation_before, 0)) as change,
        sum((compensation_after - coalesce(compensation_before, 0)) * dayofyear(effective_date)) as change_days
    from {{ ref('fct_yearly_events') }}
    where simulation_year = {{ param('simulation_year', 'integer') }}
    group by employee_id
),

folded as (
    select
        people.employee_id,
        people.employee_birth_date,
        people.employee_hire_date,
        people.is_new_hire,
        people.scheduled_hours_per_week,
        events.termination_date,
        events.termination_reason,
        calendar.days_in_year,
        people.compensation,
        coalesce(events.level_id, people.level_id) as level_id,
        coalesce(events.change, 0) as change,
        coalesce(events.change_days, 0) as change_days,
        coalesce(events.termination_date, calendar.year_end) as as_of,
        dayofyear(coalesce(events.termination_date, calendar.year_end)) as last_day,
        case when people.is_new_hire then dayofyear(people.employee_hire_date) else 1 end as first_day
    from people
    cross join calendar
    left join events
        on people.employee_id = events.employee_id
),

aged as (
    select
        *,
        {{ completed_years('employee_birth_date', 'as_of') }} as current_age,
        {{ completed_years('employee_hire_date', 'as_of') }} as completed_years
    from folded
)

select
    {{ param('scenario_id', 'varchar') }} as scenario_id,
    {{ param('plan_design_id', 'varchar') }} as plan_design_id,
    {{ param('simulation_year', 'integer') }} as simulation_year,
    aged.employee_id,
    aged.employee_birth_date,
    aged.employee_hire_date,
    case when aged.termination_date is null then 'active' else 'terminated' end as employment_status,
    case
        when aged.is_new_hire and aged.termination_date is null then 'new_hire_active'
        when aged.is_new_hire then 'new_hire_termination'
        when aged.termination_date is null then 'continuous_active'
        else 'experienced_termination'
    end as detailed_status_code,
    aged.termination_date,
    aged.termination_reason,
    aged.level_id,
    aged.current_age,
    (
        aged.completed_years
        + (aged.as_of - (aged.employee_hire_date + to_years(aged.completed_years))::date)::double
        / (
            (aged.employee_hire_date + to_years(aged.completed_years + 1))::date
            - (aged.employee_hire_date + to_years(aged.completed_years))::date
        )
    )::decimal(9, 4) as current_tenure,
    ages.age_band,
    tenures.tenure_band,
    (aged.compensation + aged.change)::decimal(18, 2) as current_compensation,
    {{ per_year(
        'aged.compensation * aged.last_day + aged.change * (aged.last_day + 1) - aged.change_days', 'aged.days_in_year'
    ) }} as prorated_annual_compensation,
    {{ per_year(
        'aged.scheduled_hours_per_week * 52 * (aged.last_day - aged.first_day + 1)', 'aged.days_in_year'
    ) }}::decimal(9, 2) as annual_hours
from aged
inner join {{ ref('stg_age_segments') }} as ages
    on aged.current_age = ages.age
inner join {{ ref('stg_tenure_segments') }} as tenures
    on aged.completed_years = tenures.completed_years
