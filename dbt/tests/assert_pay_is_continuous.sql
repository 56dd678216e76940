-- The pay and level before an event are those after the person's event before it, or those the year opened with.
with

pay_events as (
    select
        employee_id,
        event_type,
        event_sequence,
        compensation_before,
        level_before,
        lag(compensation_after) over (partition by employee_id order by event_sequence) as previous_compensation,
        lag(level_after) over (partition by employee_id order by event_sequence) as previous_level
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }}
        and compensation_after is not null
),

opening as (
    select
        employee_id,
        current_compensation as compensation,
        level_id
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year', 'integer') }} - 1
    union all
    select
        employee_id,
        entry_compensation as compensation,
        entry_level_id as level_id
    from {{ ref('dim_employee') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }}
        and origin = 'census'
)

select
    pay_events.employee_id,
    pay_events.event_type,
    pay_events.compensation_before,
    pay_events.previous_compensation,
    opening.compensation as opening_compensation
from pay_events
left join opening
    on pay_events.employee_id = opening.employee_id
where
    pay_events.compensation_before
    is distinct from coalesce(pay_events.previous_compensation, opening.compensation)
    or pay_events.level_before is distinct from coalesce(pay_events.previous_level, opening.level_id)
