-- Nobody is enrolled who is in, nobody opts out who is not in; an enrollment brings a rate, an opt-out ends it.
select
    employee_id,
    event_type,
    event_category,
    effective_date,
    deferral_rate_before,
    deferral_rate_after
from {{ ref('fct_yearly_events') }}
where
    simulation_year = {{ param('simulation_year', 'integer') }}
    and (
        (event_type = 'enrollment' and not coalesce(deferral_rate_before = 0 and deferral_rate_after > 0, false))
        or (event_category = 'opt_out' and not coalesce(deferral_rate_before > 0 and deferral_rate_after = 0, false))
    )
