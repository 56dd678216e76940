-- The people of the census who are simulated, with the level from full-time pay where the census gives none, and their
-- own share of variable pay: the yearly amount over the rate of pay, to 12 places.
with

people as (
    select
        *,
        {{ full_time_pay('employee_gross_compensation', 'scheduled_hours_per_week') }} as full_time_pay
    from {{ source('inputs', 'census') }}
    where is_simulated
)

select
    census.employee_id,
    census.employee_birth_date,
    census.employee_hire_date,
    coalesce(census.employee_service_date, census.employee_hire_date) as employee_service_date,
    coalesce(census.level_id, levels.level_id) as level_id,
    census.employee_gross_compensation as compensation,
    census.department,
    census.location,
    census.employee_class,
    census.sex,
    census.scheduled_hours_per_week,
    census.employee_termination_date as announced_termination_date,
    coalesce(census.employee_deferral_rate, 0)::decimal(9, 6) as deferral_rate,
    case
        when census.employee_deferral_rate > 0 then coalesce(census.enrollment_method, 'voluntary')
    end as enrollment_method,
    census.employee_enrollment_date as enrollment_date,
    census.auto_escalation_opt_out,
    census.plan_eligible_override,
    census.is_five_percent_owner,
    census.prior_year_compensation,
    census.employee_variable_compensation as variable_compensation,
    ({{ rounded_ratio(
        '(census.employee_variable_compensation * 100)::hugeint * 1000000000000',
        '(census.employee_gross_compensation * 100)::bigint'
    ) }} / 1000000000000)::decimal(18, 12) as bonus_share,
    census.employee_account_balance,
    census.match_account_balance,
    census.core_account_balance
from people as census
inner join {{ ref('stg_job_levels') }} as levels
    on
        census.full_time_pay >= levels.pay_from
        and (levels.pay_to is null or census.full_time_pay < levels.pay_to)
