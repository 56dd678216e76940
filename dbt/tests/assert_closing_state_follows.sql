-- Whoever the year opened with or hired is in its snapshot, and nobody else. The closing pay and level are those after
-- the last event that changed them, or those of the opening. The rule enrollment_registry_agrees does so for elections.
with

opening as (
    select
        employee_id,
        current_compensation as compensation,
        level_id
    from {{ ref('fct_workforce_snapshot') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }} - 1
        and employment_status = 'active'
    union all
    select
        employee_id,
        entry_compensation as compensation,
        entry_level_id as level_id
    from {{ ref('dim_employee') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }}
        and origin = 'census'
),

events as (
    select
        employee_id,
        arg_max(compensation_after, event_sequence) as compensation,
        arg_max(level_after, event_sequence) as level_id,
        bool_or(event_type = 'hire') as is_hired
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }}
        and compensation_after is not null
    group by employee_id
),

closing as (
    select
        employee_id,
        current_compensation as compensation,
        level_id
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year', 'integer') }}
)

select
    coalesce(closing.employee_id, opening.employee_id) as employee_id,
    closing.compensation,
    coalesce(events.compensation, opening.compensation) as expected_compensation,
    closing.level_id,
    coalesce(events.level_id, opening.level_id) as expected_level_id
from opening
full outer join closing
    on opening.employee_id = closing.employee_id
left join events
    on closing.employee_id = events.employee_id
where
    coalesce(events.is_hired, false) = (opening.employee_id is not null)
    or closing.compensation is distinct from coalesce(events.compensation, opening.compensation)
    or closing.level_id is distinct from coalesce(events.level_id, opening.level_id)
