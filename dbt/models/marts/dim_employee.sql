-- What never changes about a person while simulated: one row for each person, in the year they enter the simulation.
-- People of the census enter in the first simulated year, hires in the year of their hire.
with

people as (
    select
        employee_id,
        'census' as origin,
        employee_birth_date,
        employee_hire_date,
        employee_service_date,
        level_id as entry_level_id,
        compensation as entry_compensation,
        bonus_share,
        department,
        location,
        employee_class,
        sex,
        scheduled_hours_per_week,
        announced_termination_date,
        auto_escalation_opt_out,
        plan_eligible_override,
        is_five_percent_owner
    from {{ ref('stg_census') }}
    where {{ param('simulation_year') }} = {{ param('start_year') }}
    union all by name
    select
        employee_id,
        case hire_category when 'acquired' then 'acquired' else 'hire' end as origin,
        birth_date as employee_birth_date,
        hire_date as employee_hire_date,
        service_date as employee_service_date,
        level_id as entry_level_id,
        compensation as entry_compensation,
        null::decimal(18, 12) as bonus_share,
        department,
        location,
        employee_class,
        sex,
        scheduled_hours_per_week,
        announced_termination_date,
        auto_escalation_opt_out,
        null::boolean as plan_eligible_override,
        is_five_percent_owner
    from {{ ref('int_hires') }}
)

select
    {{ param('scenario_id') }} as scenario_id,
    {{ param('plan_design_id') }} as plan_design_id,
    {{ param('simulation_year') }} as simulation_year,
    people.employee_id,
    people.origin,
    people.employee_birth_date,
    people.employee_hire_date,
    people.employee_service_date,
    people.entry_level_id,
    people.entry_compensation,
    people.bonus_share,
    people.department,
    people.location,
    people.employee_class,
    people.sex,
    people.scheduled_hours_per_week,
    people.announced_termination_date,
    people.auto_escalation_opt_out,
    people.plan_eligible_override,
    people.is_five_percent_owner,
    entries.deferral_entry_date,
    entries.match_entry_date,
    entries.core_entry_date,
    entries.entry_basis
from people
inner join {{ ref('int_entry_dates') }} as entries
    on people.employee_id = entries.employee_id
