-- The key figures of the year, each defined here and nowhere else.
-- Headcounts tie as opening - terminations + hires - new-hire terminations = closing. Averages and growths are of
-- annual rates of pay; totals are of paid compensation. A ratio over nothing does not exist and is null.
{%- set opening_average = ratio('opening.payroll', 'opening.headcount') %}
{%- set closing_average = ratio('closing_payroll', 'closing_headcount') %}
{%- set continuous_average = ratio('continuous_payroll', 'continuous_headcount') %}
{%- set figures = [
    ('opening_headcount', 'opening.headcount', 'people'),
    ('terminations', 'terminations', 'people'),
    ('retirements', 'retirements', 'people'),
    ('announced_terminations', 'announced_terminations', 'people'),
    ('hires', 'hires', 'people'),
    ('new_hire_terminations', 'new_hire_terminations', 'people'),
    ('closing_headcount', 'closing_headcount', 'people'),
    ('target_headcount', 'target.target_headcount', 'people'),
    ('headcount_growth_rate', ratio('closing_headcount', 'opening.headcount') ~ ' - 1', 'rate'),
    ('promotions', 'promotions', 'events'),
    ('raises', 'raises', 'events'),
    ('realised_merit_rate', ratio('raise_amount - calendar.cola_rate * raise_payroll', 'raise_payroll'), 'rate'),
    ('total_compensation', 'total_compensation', 'USD'),
    ('average_compensation', closing_average, 'USD a year'),
    ('compensation_growth_all', ratio(closing_average, opening_average) ~ ' - 1', 'rate'),
    ('compensation_growth_continuous', ratio(continuous_average, opening_average) ~ ' - 1', 'rate'),
    ('compensation_growth_same_person', ratio('continuous_payroll', 'continuous_opening.payroll') ~ ' - 1', 'rate'),
    ('eligible_count', 'eligible_count', 'people'),
    ('participant_count', 'participant_count', 'people'),
    ('participation_rate', ratio('participant_count', 'eligible_count'), 'rate'),
    ('average_deferral_rate', ratio('participant_rates', 'participant_count'), 'rate'),
    ('average_deferral_rate_all_eligible', ratio('coalesce(participant_rates, 0)', 'eligible_count'), 'rate'),
    ('average_deferral_rate_payroll_weighted', ratio('coalesce(deferring_payroll, 0)', 'eligible_payroll'), 'rate'),
    ('employee_contribution_total', 'employee_contribution_total', 'USD'),
    ('employer_match_total', 'employer_match_total', 'USD'),
    ('employer_core_total', 'employer_core_total', 'USD'),
    ('match_lost_to_timing', 'match_lost_to_timing', 'USD'),
    ('forfeiture_total', 'forfeiture_total', 'USD'),
    ('forfeitures_available', 'pool', 'USD'),
    ('forfeitures_paid_expenses', 'paid_expenses', 'USD'),
    ('forfeitures_offset', 'offset_amount', 'USD'),
    ('forfeitures_reallocated', 'reallocated', 'USD'),
    ('forfeitures_carried_forward', 'pool - paid_expenses - offset_amount - reallocated', 'USD'),
    ('net_employer_cost', 'employer_match_total + employer_core_total - reallocated - offset_amount', 'USD'),
    ('employer_cost_rate', ratio('employer_match_total + employer_core_total', 'total_compensation'), 'rate'),
    ('hce_count', 'hce_count', 'people')
] %}
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
            as continuous_payroll,
        count(*) filter (where is_eligible and employment_status = 'active') as eligible_count,
        count(*) filter (where is_eligible and is_enrolled and employment_status = 'active') as participant_count,
        sum(current_deferral_rate) filter (where is_eligible and is_enrolled and employment_status = 'active')
            as participant_rates,
        sum(current_deferral_rate * current_compensation::decimal(38, 2))
        filter (where is_eligible and is_enrolled and employment_status = 'active') as deferring_payroll,
        sum(current_compensation) filter (where is_eligible and employment_status = 'active') as eligible_payroll,
        coalesce(sum(employee_contribution_amount), 0) as employee_contribution_total,
        coalesce(sum(employer_match_amount), 0) as employer_match_total,
        coalesce(sum(employer_core_amount), 0) as employer_core_total,
        coalesce(sum(forfeiture_amount), 0) as forfeiture_total,
        count(*) filter (where is_hce) as hce_count
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year') }}
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

pay_events as (
    select
        count(*) filter (where event_type = 'promotion') as promotions,
        count(*) filter (where event_type = 'raise') as raises,
        coalesce(sum(amount) filter (where event_type = 'raise'), 0) as raise_amount,
        coalesce(sum(compensation_before) filter (where event_type = 'raise'), 0) as raise_payroll
    from {{ ref('fct_yearly_events') }}
    where simulation_year = {{ param('simulation_year') }}
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
        unnest([
            {%- for name, value, unit in figures %}
                '{{ name }}'{{ "," if not loop.last }}
            {%- endfor %}
        ]) as metric,
        unnest([
            {%- for name, value, unit in figures %}
                ({{ value }})::decimal(38, 6){{ "," if not loop.last }}
            {%- endfor %}
        ]) as value,
        unnest([
            {%- for name, value, unit in figures %}
                '{{ unit }}'{{ "," if not loop.last }}
            {%- endfor %}
        ]) as unit
    from snapshot
    cross join opening
    cross join continuous_opening
    cross join pay_events
    cross join forfeiture_use
    cross join timing
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
