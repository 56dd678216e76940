-- The population of 1 January: the census in the first simulated year, last year's active people in every later one.
-- Which of the two is decided by the year alone, never by a table being empty.
with

census as (
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        level_id,
        compensation,
        department,
        scheduled_hours_per_week,
        announced_termination_date
    from {{ ref('stg_census') }}
    where {{ param('simulation_year', 'integer') }} = {{ param('start_year', 'integer') }}
),

previous_close as (
    select
        snapshot.employee_id,
        snapshot.employee_birth_date,
        snapshot.employee_hire_date,
        snapshot.level_id,
        snapshot.current_compensation as compensation,
        people.department,
        people.scheduled_hours_per_week,
        people.announced_termination_date
    from {{ source('ledger', 'fct_workforce_snapshot') }} as snapshot
    inner join {{ source('ledger', 'dim_employee') }} as people
        on snapshot.employee_id = people.employee_id
    where
        {{ param('simulation_year', 'integer') }} > {{ param('start_year', 'integer') }}
        and snapshot.simulation_year = {{ param('simulation_year', 'integer') }} - 1
        and people.simulation_year < {{ param('simulation_year', 'integer') }}
        and snapshot.employment_status = 'active'
),

opening as (
    select * from census
    union all by name
    select * from previous_close
)

select
    opening.employee_id,
    opening.employee_birth_date,
    opening.employee_hire_date,
    opening.level_id,
    opening.compensation,
    opening.department,
    opening.scheduled_hours_per_week,
    opening.announced_termination_date,
    {{ completed_years('opening.employee_birth_date', 'calendar.year_start') }} as age,
    {{ completed_years('opening.employee_hire_date', 'calendar.year_start') }} as completed_years
from opening
cross join {{ ref('stg_calendar') }} as calendar
