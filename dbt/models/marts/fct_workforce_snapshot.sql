-- Everyone employed at any time in the year, as of 31 December or the exit: the fold of the opening population and the
-- year's events, beside what the plan did for them.
-- Paid compensation = sum over rate segments of rate x days / days in the year. Written as a fold it is
-- opening rate x last day + sum of (change x days from the change to the last day), both ends paid.
{%- set as_of = 'coalesce(events.termination_date, calendar.year_end)' %}
with

people as (
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        level_id,
        compensation,
        scheduled_hours_per_week,
        false as is_new_hire
    from {{ ref('int_opening_workforce') }}
    union all
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        entry_level_id as level_id,
        0::decimal(18, 2) as compensation,
        scheduled_hours_per_week,
        true as is_new_hire
    from {{ ref('dim_employee') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }}
        and origin = 'hire'
),

events as (
    select
        employee_id,
        max(effective_date) filter (where event_type = 'termination') as termination_date,
        max(event_category) filter (where event_type = 'termination') as termination_reason,
        arg_max(level_after, event_sequence) as level_id,
        sum(compensation_after - coalesce(compensation_before, 0)) as change,
        sum((compensation_after - coalesce(compensation_before, 0)) * dayofyear(effective_date)) as change_days,
        arg_max(deferral_rate_after, event_sequence) as deferral_rate,
        max(effective_date) filter (where event_type = 'enrollment') as enrollment_date,
        arg_max(event_category, event_sequence) filter (where event_type = 'enrollment') as enrollment_category,
        arg_max(event_category, event_sequence) filter (
            where event_type = 'enrollment' or event_category = 'opt_out'
        ) as last_step,
        bool_or(event_details like '%"will_be_refunded":true%' or event_category = 'opt_out') filter (
            where deferral_rate_after is not null
        ) as is_refunded,
        count(*) filter (where event_type = 'deferral_escalation') as escalations
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year', 'integer') }}
        and (
            event_type in ('hire', 'promotion', 'raise', 'termination')
            or deferral_rate_after is not null
        )
    group by employee_id
),

folded as (
    select
        people.employee_id,
        people.employee_birth_date,
        people.employee_hire_date,
        people.is_new_hire,
        people.scheduled_hours_per_week,
        calendar.days_in_year,
        people.compensation,
        events.termination_date,
        events.termination_reason,
        coalesce(events.level_id, people.level_id) as level_id,
        coalesce(events.change, 0) as change,
        coalesce(events.change_days, 0) as change_days,
        {{ as_of }} as as_of,
        dayofyear({{ as_of }}) as last_day,
        {{ completed_years('people.employee_birth_date', as_of) }} as current_age,
        {{ completed_years('people.employee_hire_date', as_of) }} as completed_years,
        case when people.is_new_hire then dayofyear(people.employee_hire_date) else 1 end as first_day,
        events.deferral_rate,
        events.enrollment_date,
        events.enrollment_category,
        events.last_step,
        events.is_refunded,
        events.escalations
    from people
    cross join {{ ref('stg_calendar') }} as calendar
    left join events
        on people.employee_id = events.employee_id
),

employed as (
    select
        folded.employee_id,
        folded.employee_birth_date,
        folded.employee_hire_date,
        case when folded.termination_date is null then 'active' else 'terminated' end as employment_status,
        case
            when folded.is_new_hire and folded.termination_date is null then 'new_hire_active'
            when folded.is_new_hire then 'new_hire_termination'
            when folded.termination_date is null then 'continuous_active'
            else 'experienced_termination'
        end as detailed_status_code,
        folded.termination_date,
        folded.termination_reason,
        folded.level_id,
        folded.current_age,
        (
            folded.completed_years
            + (folded.as_of - (folded.employee_hire_date + to_years(folded.completed_years))::date)::double
            / (
                (folded.employee_hire_date + to_years(folded.completed_years + 1))::date
                - (folded.employee_hire_date + to_years(folded.completed_years))::date
            )
        )::decimal(9, 4) as current_tenure,
        ages.age_band,
        tenures.tenure_band,
        (folded.compensation + folded.change)::decimal(18, 2) as current_compensation,
        {{ per_year(
            'folded.compensation * folded.last_day + folded.change * (folded.last_day + 1) - folded.change_days',
            'folded.days_in_year'
        ) }} as prorated_annual_compensation,
        {{ per_year(
            'folded.scheduled_hours_per_week * 52 * (folded.last_day - folded.first_day + 1)', 'folded.days_in_year'
        ) }}::decimal(9, 2) as annual_hours,
        folded.deferral_rate,
        folded.enrollment_date,
        case
            when folded.enrollment_category in ('automatic', 'reenrollment') then 'auto'
            when folded.enrollment_category is not null then 'voluntary'
        end as enrollment_method,
        folded.last_step = 'opt_out' as has_opted_out,
        folded.is_refunded,
        folded.escalations
    from folded
    inner join {{ ref('stg_age_segments') }} as ages
        on folded.current_age = ages.age
    inner join {{ ref('stg_tenure_segments') }} as tenures
        on folded.completed_years = tenures.completed_years
)

select
    {{ param('scenario_id', 'varchar') }} as scenario_id,
    {{ param('plan_design_id', 'varchar') }} as plan_design_id,
    {{ param('simulation_year', 'integer') }} as simulation_year,
    employed.employee_id,
    employed.employee_birth_date,
    employed.employee_hire_date,
    employed.employment_status,
    employed.detailed_status_code,
    employed.termination_date,
    employed.termination_reason,
    employed.level_id,
    employed.current_age,
    employed.current_tenure,
    employed.age_band,
    employed.tenure_band,
    employed.current_compensation,
    employed.prorated_annual_compensation,
    plan.plan_compensation,
    employed.annual_hours,
    plan.eligibility_date,
    plan.is_eligible,
    coalesce(employed.deferral_rate, plan.opening_rate) > 0 as is_enrolled,
    coalesce(employed.enrollment_date, plan.enrollment_date) as enrollment_date,
    coalesce(employed.enrollment_method, plan.enrollment_method) as enrollment_method,
    coalesce(employed.has_opted_out, plan.has_opted_out) as has_opted_out,
    coalesce(employed.deferral_rate, plan.opening_rate)::decimal(9, 6) as current_deferral_rate,
    (plan.escalation_count + coalesce(employed.escalations, 0))::integer as escalation_count,
    plan.employee_contribution_amount,
    plan.pre_tax_amount,
    plan.roth_amount,
    plan.catch_up_amount,
    plan.after_tax_amount,
    coalesce(plan.contribution_limit_reason, case when employed.is_refunded then 'refund' end)
        as contribution_limit_reason,
    plan.employer_match_amount,
    plan.match_status,
    plan.employer_core_amount,
    plan.core_status,
    plan.annual_additions_amount,
    plan.match_vested_rate,
    plan.core_vested_rate,
    plan.employee_account_balance,
    plan.match_account_balance,
    plan.core_account_balance,
    plan.forfeiture_amount,
    plan.is_hce
from employed
inner join {{ ref('int_plan_year') }} as plan
    on employed.employee_id = plan.employee_id
