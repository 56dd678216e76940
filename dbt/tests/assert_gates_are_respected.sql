-- Nobody who fails a gate of the match or the core contribution gets it; reallocated forfeitures know no gates.
with

people as (
    select
        employee_id,
        employer_match_amount,
        employer_core_amount,
        termination_date,
        termination_reason,
        current_age as age,
        (annual_hours * 100)::bigint as hundredths_of_hours
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year') }}
),

gates as (
    select
        people.employee_id,
        people.employer_match_amount,
        people.employer_core_amount,
        {{ failed_gate('people', 'match') }} as failed_match_gate,
        {{ failed_gate('people', 'core') }} as failed_core_gate
    from people
)

select
    gates.employee_id,
    gates.failed_match_gate,
    gates.employer_match_amount,
    gates.failed_core_gate,
    gates.employer_core_amount
from gates
left join {{ ref('fct_yearly_events') }} as events
    on
        gates.employee_id = events.employee_id
        and gates.failed_core_gate is not null
        and events.simulation_year = {{ param('simulation_year') }}
        and events.event_type = 'employer_core'
where
    (gates.failed_match_gate is not null and gates.employer_match_amount > 0)
    or (
        gates.failed_core_gate is not null
        and events.amount > (events.event_details ->> 'reallocated_forfeitures')::decimal(18, 2)
    )
