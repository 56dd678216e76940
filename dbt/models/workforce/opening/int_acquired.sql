-- The people who are acquired this year, with the level from full-time pay by this year's ranges where the file gives
-- none. No rows in a run without acquisitions.
with

people as (
    select
        *,
        {{ full_time_pay('employee_gross_compensation', 'scheduled_hours_per_week') }} as full_time_pay
    from {{ source('inputs', 'acquired') }}
    where
        {{ param('has_acquisitions') }}
        and year(acquired_on) = {{ param('simulation_year') }}
)

select
    people.employee_id,
    people.employee_birth_date,
    people.acquired_on,
    case
        when people.credits_service then coalesce(people.employee_service_date, people.employee_hire_date)
        else people.acquired_on
    end as employee_service_date,
    coalesce(people.level_id, levels.level_id) as level_id,
    people.employee_gross_compensation as compensation,
    people.department,
    people.location,
    people.employee_class,
    people.sex,
    people.scheduled_hours_per_week,
    case
        when people.employee_termination_date > calendar.year_end then people.employee_termination_date
    end as announced_termination_date,
    people.auto_escalation_opt_out,
    case when people.credits_pay then people.prior_year_compensation end as prior_year_compensation,
    coalesce(people.year_to_date_deferral, 0)::decimal(18, 2) as deferred_elsewhere,
    people.is_five_percent_owner
from people
cross join {{ ref('stg_calendar') }} as calendar
inner join {{ ref('stg_job_levels') }} as levels
    on
        people.full_time_pay >= round(levels.pay_from::decimal(38, 2) * calendar.structure_factor, 2)
        and (
            levels.pay_to is null
            or people.full_time_pay < round(levels.pay_to::decimal(38, 2) * calendar.structure_factor, 2)
        )
