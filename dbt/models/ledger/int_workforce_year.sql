-- Everyone employed at any time in the year, as of 31 December or the exit: what the year's events left them with, the
-- half of the snapshot that is not the plan's doing, and their election where the year changed it.
{#- A lift to the minimum of a QACA and an automatic increase have one type, and may have one day. -#}
{%- set step = '(dayofyear(effective_date) * 100 + type_order) * 10 + ordinal' %}
with

elections as (
    select
        employee_id,
        arg_max(rate_after, {{ step }}) as deferral_rate,
        max(effective_date) filter (where event_type = 'enrollment') as enrollment_date,
        arg_max(event_category, {{ step }}) filter (where event_type = 'enrollment') as enrollment_category,
        arg_max(event_category, {{ step }}) filter (
            where event_type = 'enrollment' or event_category = 'opt_out'
        ) as last_step,
        bool_or(is_refunded) as is_refunded,
        count(*) filter (where event_type = 'deferral_escalation') as escalations
    from {{ ref('int_deferral_changes') }}
    group by employee_id
),

anniversaries as (
    select
        *,
        (employee_service_date + to_years(completed_years))::date as last_anniversary,
        (employee_service_date + to_years(completed_years + 1))::date as next_anniversary
    from {{ ref('int_employment') }}
)

select
    people.employee_id,
    people.employee_birth_date,
    people.employee_hire_date,
    case when people.termination_date is null then 'active' else 'terminated' end as employment_status,
    case
        when people.is_acquired then 'acquired_active'
        when people.is_new_hire and people.termination_date is null then 'new_hire_active'
        when people.is_new_hire then 'new_hire_termination'
        when people.termination_date is null then 'continuous_active'
        else 'experienced_termination'
    end as detailed_status_code,
    people.termination_date,
    people.termination_reason,
    people.promoted_level_id as level_id,
    people.age as current_age,
    (
        people.completed_years
        + (people.as_of - people.last_anniversary)::double / (people.next_anniversary - people.last_anniversary)
    )::decimal(9, 4) as current_tenure,
    ages.age_band,
    tenures.tenure_band,
    {{ dollars('people.opening_cents + people.raise_cents + people.promotion_cents') }} as current_compensation,
    {{ dollars('people.paid_cents') }} as prorated_annual_compensation,
    {{ dollars('people.bonus_cents') }} as bonus_amount,
    (people.hundredths_of_hours / 100)::decimal(9, 2) as annual_hours,
    elections.deferral_rate,
    elections.enrollment_date,
    {{ enrollment_method('elections.enrollment_category') }} as enrollment_method,
    elections.last_step = 'opt_out' as has_opted_out,
    elections.is_refunded,
    coalesce(elections.escalations, 0) as escalations
from anniversaries as people
inner join {{ ref('stg_age_segments') }} as ages
    on people.age = ages.age
inner join {{ ref('stg_tenure_segments') }} as tenures
    on people.completed_years = tenures.completed_years
left join elections
    on people.employee_id = elections.employee_id
