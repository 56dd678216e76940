-- The deferral rate before an event is that after the person's event before it, or the one the year opened with.
with

changes as (
    select
        employee_id,
        event_type,
        deferral_rate_before,
        lag(deferral_rate_after) over (partition by employee_id order by event_sequence) as previous_rate
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }}
        and deferral_rate_after is not null
),

opening as (
    select
        employee_id,
        current_deferral_rate as deferral_rate
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year', 'integer') }} - 1
    union all
    select
        employee_id,
        employee_deferral_rate as deferral_rate
    from {{ source('inputs', 'census') }}
    where
        is_simulated
        and {{ param('simulation_year', 'integer') }} = {{ param('start_year', 'integer') }}
)

select
    changes.employee_id,
    changes.event_type,
    changes.deferral_rate_before,
    changes.previous_rate,
    opening.deferral_rate as opening_rate
from changes
left join opening
    on changes.employee_id = opening.employee_id
where
    changes.deferral_rate_before
    is distinct from coalesce(changes.previous_rate, opening.deferral_rate, 0)
