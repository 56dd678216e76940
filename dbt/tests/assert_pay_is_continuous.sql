-- Pay and level go on from year to year. Whoever the year opened with or hired is in its snapshot, and nobody else; pay
-- and level before an event are those after the person's event before it, or those the year opened with; at the close
-- they are those after the last event, or those of the opening. Base pay of the year is what these pays add up to:
-- opening x last day + sum of change x days from the change to the last day, both ends paid, / days of the year.
-- assert_elections_are_continuous tests the elections.
with

pay_events as (
    select
        employee_id,
        event_type,
        compensation_before,
        compensation_after,
        level_before,
        level_after,
        lag(compensation_after) over person_order as previous_compensation,
        lag(level_after) over person_order as previous_level,
        -- up to this event, so in the last one of all
        sum(compensation_after - coalesce(compensation_before, 0)) over person_order as change,
        sum((compensation_after - coalesce(compensation_before, 0)) * dayofyear(effective_date)) over person_order
            as change_days,
        lead(event_sequence) over person_order is null as is_last
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and compensation_after is not null
    window person_order as (partition by employee_id order by event_sequence)
),

opening as (
    select
        employee_id,
        current_compensation as compensation,
        level_id
    from {{ ref('fct_workforce_snapshot') }}
    where
        simulation_year = {{ param('simulation_year') }} - 1
        and employment_status = 'active'
    union all
    select
        employee_id,
        entry_compensation as compensation,
        entry_level_id as level_id
    from {{ ref('dim_employee') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and origin = 'census'
),

closing as (
    select
        employee_id,
        current_compensation as compensation,
        level_id,
        prorated_annual_compensation - bonus_amount as base_paid,
        dayofyear(make_date({{ param('simulation_year') }}, 12, 31)) as days_in_year,
        coalesce(dayofyear(termination_date), days_in_year) as last_day
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year') }}
)

select
    coalesce(closing.employee_id, opening.employee_id) as employee_id,
    pay_events.event_type,
    pay_events.compensation_before,
    pay_events.previous_compensation,
    opening.compensation as opening_compensation,
    pay_events.compensation_after,
    closing.compensation as closing_compensation,
    closing.base_paid
from opening
full outer join closing
    on opening.employee_id = closing.employee_id
left join pay_events
    on closing.employee_id = pay_events.employee_id
where
    closing.employee_id is null
    or (
        pay_events.employee_id is null
        and (
            closing.compensation is distinct from opening.compensation
            or closing.level_id is distinct from opening.level_id
        )
    )
    or (
        pay_events.employee_id is not null
        and (
            pay_events.compensation_before
            is distinct from coalesce(pay_events.previous_compensation, opening.compensation)
            or pay_events.level_before is distinct from coalesce(pay_events.previous_level, opening.level_id)
        )
    )
    or (
        pay_events.is_last
        and (
            closing.compensation is distinct from pay_events.compensation_after
            or closing.level_id is distinct from pay_events.level_after
        )
    )
    or (
        coalesce(pay_events.is_last, true)
        and closing.base_paid is distinct from {{ per_year(
            'coalesce(opening.compensation, 0) * closing.last_day'
            ~ ' + coalesce(pay_events.change, 0) * (closing.last_day + 1) - coalesce(pay_events.change_days, 0)',
            'closing.days_in_year'
        ) }}
    )
