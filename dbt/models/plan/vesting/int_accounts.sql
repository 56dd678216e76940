-- The accounts at the close of the year or at exit, how far they are vested, and what a leaver forfeits. Balance =
-- opening x (1 + r) + contributions x (1 + r / 2), both returns prorated to the exit, rounded once. Vested by completed
-- years of service on the schedule of each source; full from normal retirement age while employed, at death and at
-- disability, and for leavers of a year with a partial termination. Forfeiture = the unvested part of the closing
-- employer accounts at exit, a simplification of section 411(a)(6); leavers' accounts then leave the plan. Code section
-- 411(a).
with

balances as (
    select
        people.employee_id,
        people.termination_date,
        {{ vested_rate('match') }},
        {{ vested_rate('core') }},
        2000000::hugeint * people.days_in_year as unit,
        ({{ param('annual_return') }} * 1000000)::hugeint * people.last_day as return_days,
        {{ cents('opening.employee_account_balance') }} as employee_opening,
        {{ cents('opening.match_account_balance') }} as match_opening,
        {{ cents('opening.core_account_balance') }} as core_opening,
        {{ cents('(additions.pre_tax + additions.roth + additions.after_tax)') }} as employee_paid_in,
        {{ cents('additions.match_amount') }} as match_paid_in,
        {{ cents('additions.core_amount') }} as core_paid_in
    from {{ ref('int_employment') }} as people
    inner join {{ ref('stg_tenure_segments') }} as tenures
        on people.completed_years = tenures.completed_years
    left join {{ ref('int_opening_workforce') }} as opening
        on people.employee_id = opening.employee_id
    left join {{ ref('int_partial_termination') }} as partial_termination
        on people.termination_date is not null
    left join {{ ref('int_annual_additions') }} as additions
        on people.employee_id = additions.employee_id
),

closed as (
    select
        employee_id,
        termination_date,
        match_vested_rate,
        core_vested_rate,
        {{ with_return('employee_opening', 'employee_paid_in') }} as employee_account_balance,
        {{ with_return('match_opening', 'match_paid_in') }} as match_account_balance,
        {{ with_return('core_opening', 'core_paid_in') }} as core_account_balance
    from balances
)

select
    employee_id,
    match_vested_rate,
    core_vested_rate,
    employee_account_balance,
    match_account_balance,
    core_account_balance,
    case
        when termination_date is null then 0
        else round(match_account_balance::decimal(38, 2) * (1 - match_vested_rate), 2)
    end::decimal(18, 2) as match_forfeiture,
    case
        when termination_date is null then 0
        else round(core_account_balance::decimal(38, 2) * (1 - core_vested_rate), 2)
    end::decimal(18, 2) as core_forfeiture
from closed
