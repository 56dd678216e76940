-- Nobody who fails a gate of the match or the core contribution gets it; reallocated forfeitures know no gates.
with

people as (
    select
        employee_id,
        employer_match_amount,
        employer_core_amount,
        annual_hours,
        termination_date,
        termination_reason,
        current_age as age,
        (annual_hours * 100)::bigint as hundredths_of_hours
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year', 'integer') }}
),

shut_out as (
    select
        people.employee_id,
        'match' as contribution_source,
        {{ failed_gate('people', 'match') }} as failed_gate,
        people.employer_match_amount as amount
    from people
    where
        people.employer_match_amount > 0
        and {{ failed_gate('people', 'match') }} is not null
    union all
    select
        people.employee_id,
        'core' as contribution_source,
        {{ failed_gate('people', 'core') }} as failed_gate,
        (events.amount - (events.event_details ->> 'reallocated_forfeitures')::decimal(18, 2))::decimal(18, 2) as amount
    from people
    inner join {{ ref('fct_yearly_events') }} as events
        on people.employee_id = events.employee_id
    where
        people.employer_core_amount > 0
        and {{ failed_gate('people', 'core') }} is not null
        and events.simulation_year = {{ param('simulation_year', 'integer') }}
        and events.event_type = 'employer_core'
)

select
    employee_id,
    contribution_source,
    failed_gate,
    amount
from shut_out
where amount > 0
