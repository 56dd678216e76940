-- The key figures of the year, each defined here and nowhere else.
-- Headcounts tie as opening - terminations + hires - new-hire terminations = closing. Averages and growths are of
-- annual rates of pay; totals are of paid compensation. A ratio over nothing does not exist and is null.
with

opening as (
    select
        count(*) as headcount,
        coalesce(sum(compensation), 0) as payroll
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
        coalesce(sum(prorated_annual_compensation), 0) as total_compensation,
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
        opening.payroll as opening_payroll,
        continuous_opening.payroll as continuous_opening_payroll,
        snapshot.*,
        pay_events.*
    from snapshot
    cross join opening
    cross join continuous_opening
    cross join pay_events
    cross join {{ ref('int_headcount_target') }} as target
    cross join {{ ref('stg_calendar') }} as calendar
),

averages as (
    select
        *,
        {{ ratio('opening_payroll', 'opening_headcount') }} as opening_average,
        {{ ratio('closing_payroll', 'closing_headcount') }} as closing_average,
        {{ ratio('continuous_payroll', 'continuous_headcount') }} as continuous_average
    from figures
),

metrics as (
    select
        unnest([
            {{ metric('opening_headcount', 'opening_headcount', 'people') }},
            {{ metric('terminations', 'terminations', 'people') }},
            {{ metric('retirements', 'retirements', 'people') }},
            {{ metric('announced_terminations', 'announced_terminations', 'people') }},
            {{ metric('hires', 'hires', 'people') }},
            {{ metric('new_hire_terminations', 'new_hire_terminations', 'people') }},
            {{ metric('closing_headcount', 'closing_headcount', 'people') }},
            {{ metric('target_headcount', 'target_headcount', 'people') }},
            {{ metric('headcount_growth_rate', ratio('closing_headcount', 'opening_headcount') ~ ' - 1', 'rate') }},
            {{ metric('promotions', 'promotions', 'events') }},
            {{ metric('raises', 'raises', 'events') }},
            {{ metric(
                'realised_merit_rate', ratio('raise_amount - cola_rate * raise_payroll', 'raise_payroll'), 'rate'
            ) }},
            {{ metric('total_compensation', 'total_compensation', 'USD') }},
            {{ metric('average_compensation', 'closing_average', 'USD a year') }},
            {{ metric('compensation_growth_all', ratio('closing_average', 'opening_average') ~ ' - 1', 'rate') }},
            {{ metric(
                'compensation_growth_continuous', ratio('continuous_average', 'opening_average') ~ ' - 1', 'rate'
            ) }},
            {{ metric(
                'compensation_growth_same_person',
                ratio('continuous_payroll', 'continuous_opening_payroll') ~ ' - 1',
                'rate'
            ) }}
        ]) as figure
    from averages
)

select
    {{ param('scenario_id', 'varchar') }} as scenario_id,
    {{ param('plan_design_id', 'varchar') }} as plan_design_id,
    {{ param('simulation_year', 'integer') }} as simulation_year,
    metrics.figure['metric'] as metric,
    metrics.figure['value'] as value,
    metrics.figure['unit'] as unit
from metrics
