{{ config(severity='warn', tags=['plausibility']) }}
-- The limit of section 415(c) takes nothing of a safe-harbor match or a safe-harbor nonelective contribution.
select
    details.employee_id,
    'match' as contribution_source,
    details.match_before_limits_amount as due,
    details.match_amount as paid
from {{ ref('fct_employer_match_detail') }} as details
inner join {{ parameters('match_formulas') }} as formulas
    on formulas.formula = 'current'
where
    details.simulation_year = {{ param('simulation_year') }}
    and formulas.kind in ('safe_harbor', 'qaca')
    and details.match_amount < details.match_before_limits_amount
union all
select
    events.employee_id,
    'core' as contribution_source,
    (events.event_details ->> 'before_limits')::decimal(18, 2) as due,
    (events.amount - (events.event_details ->> 'reallocated_forfeitures')::decimal(18, 2))::decimal(18, 2) as paid
from {{ ref('fct_yearly_events') }} as events
cross join {{ parameters('core_formulas') }} as formulas
where
    events.simulation_year = {{ param('simulation_year') }}
    and events.event_type = 'employer_core'
    and formulas.kind in ('safe_harbor', 'qaca')
    and events.amount - (events.event_details ->> 'reallocated_forfeitures')::decimal(18, 2)
    < (events.event_details ->> 'before_limits')::decimal(18, 2)
