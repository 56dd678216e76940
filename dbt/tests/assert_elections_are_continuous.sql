-- The deferral rate before an event is that after the person's event before it, or the one the year opened with. Nobody
-- is enrolled who is in, nobody opts out who is not in; an enrollment brings a rate, an opt-out ends it.
with

changes as (
    select
        employee_id,
        event_type,
        event_category,
        deferral_rate_before,
        deferral_rate_after,
        lag(deferral_rate_after) over (partition by employee_id order by event_sequence) as previous_rate
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and deferral_rate_after is not null
),

opening as (
    select
        employee_id,
        current_deferral_rate as deferral_rate
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year') }} - 1
    union all
    select
        employee_id,
        employee_deferral_rate as deferral_rate
    from {{ source('inputs', 'census') }}
    where
        is_simulated
        and {{ param('simulation_year') }} = {{ param('start_year') }}
)

select
    changes.employee_id,
    changes.event_type,
    changes.deferral_rate_before,
    changes.deferral_rate_after,
    changes.previous_rate,
    opening.deferral_rate as opening_rate
from changes
left join opening
    on changes.employee_id = opening.employee_id
where
    changes.deferral_rate_before
    is distinct from coalesce(changes.previous_rate, opening.deferral_rate, 0)
    or (
        changes.event_type = 'enrollment'
        and (changes.deferral_rate_before <> 0 or changes.deferral_rate_after <= 0)
    )
    or (
        changes.event_category = 'opt_out'
        and (changes.deferral_rate_before <= 0 or changes.deferral_rate_after <> 0)
    )
