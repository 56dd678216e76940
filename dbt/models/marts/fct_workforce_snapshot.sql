-- Everyone employed at any time in the year, as of 31 December or the exit: the fold of the opening population and the
-- year's events.
-- Paid compensation = sum over rate segments of rate x days / days in the year. Written as a fold it is
-- opening rate x last day + sum of (change x days from the change to the last day), both ends paid.
-- Each join carries all columns before it, so statuses are decided where their columns come in.
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
),

statuses as (
    select
        plan.employee_id,
        plan.match_pay_cents,
        plan.eligibility_date,
        plan.deferral_from_day is not null as is_eligible,
        plan.opening_rate,
        plan.enrollment_date,
        plan.enrollment_method,
        plan.has_opted_out,
        plan.escalation_count,
        deferrals.limit_reason,
        case
            when match_formula.kind = 'none' then 'no_formula'
            when plan.match_from_day is null then 'not_eligible'
            when deferrals.employee_id is null then 'not_participating'
            when matches.failed_gate is not null then matches.failed_gate
            when coalesce(matches.match_amount, 0) = 0 then 'formula_pays_nothing'
            else 'paid'
        end as match_status,
        case
            when core_formula.kind = 'none' then 'no_formula'
            when plan.core_from_day is null then 'not_eligible'
            when cores.failed_gate is not null then cores.failed_gate
            else 'formula_pays_nothing'
        end as core_status
    from {{ ref('int_eligibility') }} as plan
    cross join {{ source('parameters', 'core_formulas') }} as core_formula
    inner join {{ source('parameters', 'match_formulas') }} as match_formula
        on match_formula.formula = 'current'
    left join {{ ref('int_elective_deferrals') }} as deferrals
        on plan.employee_id = deferrals.employee_id
    left join {{ ref('int_employer_match') }} as matches
        on plan.employee_id = matches.employee_id
    left join {{ ref('int_employer_core') }} as cores
        on plan.employee_id = cores.employee_id
),

plan as (
    select
        statuses.employee_id,
        statuses.match_pay_cents,
        statuses.eligibility_date,
        statuses.is_eligible,
        statuses.opening_rate,
        statuses.enrollment_date,
        statuses.enrollment_method,
        statuses.has_opted_out,
        statuses.escalation_count,
        additions.pre_tax,
        additions.roth,
        additions.catch_up,
        additions.after_tax,
        additions.match_amount,
        additions.core_amount,
        case
            when additions.contribution_cut > 0 then '415(c)'
            else statuses.limit_reason
        end as limit_reason,
        case
            when statuses.match_status = 'paid' and additions.match_cut > 0 then 'limited_by_415c'
            else statuses.match_status
        end as match_status,
        case
            when additions.core_cut > 0 then 'limited_by_415c'
            when additions.core_amount > 0 then 'paid'
            else statuses.core_status
        end as core_status,
        accounts.match_vested_rate,
        accounts.core_vested_rate,
        accounts.employee_account_balance,
        accounts.match_account_balance,
        accounts.core_account_balance,
        (accounts.match_forfeiture + accounts.core_forfeiture)::decimal(18, 2) as forfeiture_amount,
        hce.employee_id is not null as is_hce
    from statuses
    left join {{ ref('int_hce') }} as hce
        on statuses.employee_id = hce.employee_id
    left join {{ ref('int_annual_additions') }} as additions
        on statuses.employee_id = additions.employee_id
    inner join {{ ref('int_accounts') }} as accounts
        on statuses.employee_id = accounts.employee_id
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
    {{ dollars('plan.match_pay_cents') }} as plan_compensation,
    employed.annual_hours,
    plan.eligibility_date,
    plan.is_eligible,
    coalesce(employed.deferral_rate, plan.opening_rate) > 0 as is_enrolled,
    coalesce(employed.enrollment_date, plan.enrollment_date) as enrollment_date,
    coalesce(employed.enrollment_method, plan.enrollment_method) as enrollment_method,
    coalesce(employed.has_opted_out, plan.has_opted_out) as has_opted_out,
    coalesce(employed.deferral_rate, plan.opening_rate)::decimal(9, 6) as current_deferral_rate,
    (plan.escalation_count + coalesce(employed.escalations, 0))::integer as escalation_count,
    coalesce(plan.pre_tax + plan.roth + plan.after_tax, 0)::decimal(18, 2) as employee_contribution_amount,
    coalesce(plan.pre_tax, 0)::decimal(18, 2) as pre_tax_amount,
    coalesce(plan.roth, 0)::decimal(18, 2) as roth_amount,
    coalesce(plan.catch_up, 0)::decimal(18, 2) as catch_up_amount,
    coalesce(plan.after_tax, 0)::decimal(18, 2) as after_tax_amount,
    coalesce(plan.limit_reason, case when employed.is_refunded then 'refund' end) as contribution_limit_reason,
    coalesce(plan.match_amount, 0)::decimal(18, 2) as employer_match_amount,
    plan.match_status,
    coalesce(plan.core_amount, 0)::decimal(18, 2) as employer_core_amount,
    plan.core_status,
    coalesce(
        plan.pre_tax + plan.roth - plan.catch_up + plan.after_tax + plan.match_amount + plan.core_amount, 0
    )::decimal(18, 2) as annual_additions_amount,
    plan.match_vested_rate::decimal(9, 6) as match_vested_rate,
    plan.core_vested_rate::decimal(9, 6) as core_vested_rate,
    plan.employee_account_balance,
    plan.match_account_balance,
    plan.core_account_balance,
    plan.forfeiture_amount,
    plan.is_hce
from employed
inner join plan
    on employed.employee_id = plan.employee_id
