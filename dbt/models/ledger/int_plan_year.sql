-- What the plan did for everyone in the year, in amounts and statuses: the half of the snapshot that no event has to
-- tell, with what the year opened with where an event may still change it.
-- Each join carries all columns before it, so statuses are decided where their columns come in.
with

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
    cross join {{ parameters('core_formulas') }} as core_formula
    inner join {{ parameters('match_formulas') }} as match_formula
        on match_formula.formula = 'current'
    left join {{ ref('int_elective_deferrals') }} as deferrals
        on plan.employee_id = deferrals.employee_id
    left join {{ ref('int_employer_match') }} as matches
        on plan.employee_id = matches.employee_id
    left join {{ ref('int_employer_core') }} as cores
        on plan.employee_id = cores.employee_id
)

select
    statuses.employee_id,
    {{ dollars('statuses.match_pay_cents') }} as plan_compensation,
    statuses.eligibility_date,
    statuses.is_eligible,
    statuses.opening_rate,
    statuses.enrollment_date,
    statuses.enrollment_method,
    statuses.has_opted_out,
    statuses.escalation_count,
    coalesce(additions.pre_tax + additions.roth + additions.after_tax, 0)::decimal(18, 2)
        as employee_contribution_amount,
    coalesce(additions.pre_tax, 0)::decimal(18, 2) as pre_tax_amount,
    coalesce(additions.roth, 0)::decimal(18, 2) as roth_amount,
    coalesce(additions.catch_up, 0)::decimal(18, 2) as catch_up_amount,
    coalesce(additions.after_tax, 0)::decimal(18, 2) as after_tax_amount,
    case
        when additions.contribution_cut > 0 then '415(c)'
        else statuses.limit_reason
    end as contribution_limit_reason,
    coalesce(additions.match_amount, 0)::decimal(18, 2) as employer_match_amount,
    case
        when statuses.match_status = 'paid' and additions.match_cut > 0 then 'limited_by_415c'
        else statuses.match_status
    end as match_status,
    coalesce(additions.core_amount, 0)::decimal(18, 2) as employer_core_amount,
    case
        when additions.core_cut > 0 then 'limited_by_415c'
        when additions.core_amount > 0 then 'paid'
        else statuses.core_status
    end as core_status,
    coalesce(
        additions.pre_tax + additions.roth - additions.catch_up + additions.after_tax
        + additions.match_amount + additions.core_amount,
        0
    )::decimal(18, 2) as annual_additions_amount,
    accounts.match_vested_rate::decimal(9, 6) as match_vested_rate,
    accounts.core_vested_rate::decimal(9, 6) as core_vested_rate,
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
