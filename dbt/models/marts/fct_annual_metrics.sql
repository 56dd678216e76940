-- The key figures of the year, each defined here and nowhere else.
-- Headcounts tie as opening - terminations + hires - new-hire terminations = closing. Averages and growths are of annual
-- rates of pay; totals are of paid compensation. A ratio over nothing does not exist and is null.
with

opening as (
    select
        count(*) as headcount,
        sum(compensation) as payroll
    from {{ ref('int_opening_workforce') }}
),

snapshot as (
    select
        count(*) filter (where employment_status = 'active') as closing_headcount,
        count(*) filter (where detailed_status_code like 'new_hire%') as hires,
        count(*) filter (where detailed_status_code = 'new_hire_termination') as new_hire_terminations,
        count(*) filter (where detailed_status_code = 'experienced_termination') as terminations,
        count(*) filter (where termination_reason = 'retirement') as retirements,
        count(*) filter (where termination_reason = 'announced') as announced_terminations,
        count(*) filter (where detailed_status_code = 'continuous_active') as continuous_headcount,
        sum(prorated_annual_compensation) as total_compensation,
        coalesce(sum(current_compensation) filter (where employment_status = 'active'), 0) as closing_payroll,
        coalesce(sum(current_compensation) filter (where detailed_status_code = 'continuous_active'), 0)
            as continuous_payroll
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year', 'integer') }}
),

continuous_opening as (
    select coalesce(sum(opening.compensation), 0) as payroll
    from {{ ref('int_opening_workforce') }} as opening
    inner join {{ ref('fct_workforce_snapshot') }} as closing
        on
            opening.employee_id = closing.employee_id
            and closing.simulation_year = {{ param('simulation_year', 'integer') }}
            and closing.detailed_status_code = 'continuous_active'
),

pay_events as (
    select
        count(*) filter (where event_type = 'promotion') as promotions,
        count(*) filter (where event_type = 'raise') as raises,
        coalesce(sum(amount) filter (where event_type = 'raise'), 0) as raise_amount,
        coalesce(sum(compensation_before) filter (where event_type = 'raise'), 0) as raise_payroll
    from {{ ref('fct_yearly_events') }}
    where simulation_year = {{ param('simulation_year', 'integer') }}
),

figures as (
    select
        target.target_headcount,
        calendar.cola_rate,
        opening.headcount as opening_headcount,
        opening.payroll::double as opening_payroll,
        continuous_opening.payroll::double as continuous_opening_payroll,
        snapshot.* exclude (total_compensation, closing_payroll, continuous_payroll),
        snapshot.total_compensation,
        snapshot.closing_payroll::double as closing_payroll,
        snapshot.continuous_payroll::double as continuous_payroll,
        pay_events.*
    from snapshot
    cross join opening
    cross join continuous_opening
    cross join pay_events
    cross join {{ ref('int_headcount_target') }} as target
    cross join {{ ref('stg_calendar') }} as calendar
),

metrics as (
    select unnest([
        {'metric': 'opening_headcount', 'value': opening_headcount::decimal(38, 6), 'unit': 'people'},
        {'metric': 'hires', 'value': hires::decimal(38, 6), 'unit': 'people'},
        {'metric': 'new_hire_terminations', 'value': new_hire_terminations::decimal(38, 6), 'unit': 'people'},
        {'metric': 'terminations', 'value': terminations::decimal(38, 6), 'unit': 'people'},
        {'metric': 'retirements', 'value': retirements::decimal(38, 6), 'unit': 'people'},
        {'metric': 'announced_terminations', 'value': announced_terminations::decimal(38, 6), 'unit': 'people'},
        {'metric': 'closing_headcount', 'value': closing_headcount::decimal(38, 6), 'unit': 'people'},
        {'metric': 'target_headcount', 'value': target_headcount::decimal(38, 6), 'unit': 'people'},
        {
            'metric': 'headcount_growth_rate',
            'value': (closing_headcount::double / nullif(opening_headcount, 0) - 1)::decimal(38, 6),
            'unit': 'rate'
        },
        {'metric': 'promotions', 'value': promotions::decimal(38, 6), 'unit': 'events'},
        {'metric': 'raises', 'value': raises::decimal(38, 6), 'unit': 'events'},
        {
            'metric': 'realised_merit_rate',
            'value': ((raise_amount - cola_rate * raise_payroll)::double / nullif(raise_payroll::double, 0))::decimal(38, 6),
            'unit': 'rate'
        },
        {'metric': 'total_compensation', 'value': total_compensation::decimal(38, 6), 'unit': 'USD'},
        {
            'metric': 'average_compensation',
            'value': (closing_payroll / nullif(closing_headcount, 0))::decimal(38, 6),
            'unit': 'USD a year'
        },
        {
            'metric': 'compensation_growth_all',
            'value': ((closing_payroll / nullif(closing_headcount, 0)) / (opening_payroll / nullif(opening_headcount, 0)) - 1)::decimal(38, 6),
            'unit': 'rate'
        },
        {
            'metric': 'compensation_growth_continuous',
            'value': ((continuous_payroll / nullif(continuous_headcount, 0))
            / (opening_payroll / nullif(opening_headcount, 0)) - 1)::decimal(38, 6),
            'unit': 'rate'
        },
        {
            'metric': 'compensation_growth_same_person',
            'value': (continuous_payroll / nullif(continuous_opening_payroll, 0) - 1)::decimal(38, 6),
            'unit': 'rate'
        }
    ], recursive := true)
    from figures
)

select
    {{ param('scenario_id', 'varchar') }} as scenario_id,
    {{ param('plan_design_id', 'varchar') }} as plan_design_id,
    {{ param('simulation_year', 'integer') }} as simulation_year,
    metric,
    value::decimal(38, 6) as value,
    unit
from metrics
