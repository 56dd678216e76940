-- The key figures of the year. Each is a row of the register of figures, the macro key_figures; here is what they are
-- made of. Averages and growths are of annual rates of pay; totals are of paid compensation. A ratio over nothing does
-- not exist and is null.
-- Long because each source of figures has a select of its own.
{%- call(figures) key_figures() %}{{ config(meta={'register': figures}) }}{% endcall %}
with

opening as (
    select
        count(*) as headcount,
        coalesce(sum(compensation), 0) as payroll
    from {{ ref('int_opening_workforce') }}
),

snapshot as (
    select
        everyone.*,
        limits.compensation_limit
    from {{ ref('fct_workforce_snapshot') }} as everyone
    cross join {{ ref('stg_irs_limits') }} as limits
    where everyone.simulation_year = {{ param('simulation_year') }}
),

people as (
    select
        {{ figures_of('people') }},
        {{ totals_of_people() }},
        count(*) filter (where detailed_status_code = 'continuous_active') as continuous_headcount,
        coalesce(sum(current_compensation) filter (where detailed_status_code = 'continuous_active'), 0)
            as continuous_payroll
    from snapshot
),

continuous_opening as (
    select coalesce(sum(opening.compensation), 0) as payroll
    from {{ ref('int_opening_workforce') }} as opening
    inner join {{ ref('fct_workforce_snapshot') }} as closing
        on
            opening.employee_id = closing.employee_id
            and closing.simulation_year = {{ param('simulation_year') }}
            and closing.detailed_status_code = 'continuous_active'
),

events as (
    select
        {{ figures_of('events') }},
        coalesce(sum(amount) filter (where event_category = 'merit_and_cola'), 0) as raise_amount,
        coalesce(sum(compensation_before) filter (where event_category = 'merit_and_cola'), 0) as raise_payroll
    from {{ ref('fct_yearly_events') }}
    where simulation_year = {{ param('simulation_year') }}
),

hours as (
    select
        employee_id,
        scheduled_hours_per_week
    from {{ ref('int_opening_workforce') }}
    union all
    select
        employee_id,
        scheduled_hours_per_week
    from {{ ref('int_hires') }}
),

below_ranges as (
    select count(*) as headcount
    from {{ ref('fct_workforce_snapshot') }} as closing
    inner join hours
        on closing.employee_id = hours.employee_id
    inner join {{ ref('stg_pay_ranges') }} as ranges
        on
            closing.level_id = ranges.level_id
            and closing.current_compensation
            < {{ pay_for_hours('ranges.range_minimum', 'hours.scheduled_hours_per_week') }}
    where
        closing.simulation_year = {{ param('simulation_year') }}
        and closing.employment_status = 'active'
),

surpluses as (
    select sum(surplus) as headcount
    from {{ ref('int_positions') }}
),

forfeiture_use as (
    select
        pools.pool,
        pools.paid_expenses,
        coalesce(sum(additions.reallocated), 0) as reallocated,
        case
            when {{ param('forfeiture_use') }} = 'reallocate' then 0
            else least(
                pools.pool - pools.paid_expenses,
                coalesce(sum(additions.match_amount + additions.core_amount), 0)
            )
        end as offset_amount
    from {{ ref('int_forfeiture_pool') }} as pools
    left join {{ ref('int_annual_additions') }} as additions
        on true
    group by pools.pool, pools.paid_expenses
),

timing as (
    select coalesce(sum(lost_to_timing), 0) as match_lost_to_timing
    from {{ ref('int_employer_match') }}
),

metrics as (
    select
        unnest({{ figure_list('name') }}) as metric,
        unnest({{ figure_list('value') }}) as value,
        unnest({{ figure_list('unit') }}) as unit
    from people
    cross join opening
    cross join continuous_opening
    cross join events
    cross join below_ranges
    cross join surpluses
    cross join forfeiture_use
    cross join timing
    left join {{ ref('int_partial_termination') }} as turnover
        on true
    cross join {{ ref('int_coverage') }} as coverage
    cross join {{ ref('int_headcount_target') }} as target
    cross join {{ ref('stg_calendar') }} as calendar
)

select
    {{ param('scenario_id') }} as scenario_id,
    {{ param('plan_design_id') }} as plan_design_id,
    {{ param('simulation_year') }} as simulation_year,
    metric,
    value,
    unit
from metrics
