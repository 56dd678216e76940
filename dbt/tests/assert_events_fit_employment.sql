-- Every event lies in its year, belongs to somebody of the snapshot, and falls between hire and exit, both included.
select
    events.employee_id,
    events.event_type,
    events.effective_date,
    people.employee_hire_date,
    people.termination_date
from {{ ref('fct_yearly_events') }} as events
left join {{ ref('fct_workforce_snapshot') }} as people
    on
        events.employee_id = people.employee_id
        and people.simulation_year = {{ param('simulation_year') }}
where
    events.simulation_year = {{ param('simulation_year') }}
    and (
        people.employee_id is null
        or year(events.effective_date) <> events.simulation_year
        or events.effective_date < people.employee_hire_date
        or events.effective_date > people.termination_date
        or (events.event_type = 'termination' and events.effective_date <> people.termination_date)
    )
