-- Nobody's year exceeds a limit of the Code: 402(g) without catch-up, 414(v) by age, 415(c) and the pay, 401(a)(17).
with

people as (
    select
        employee_id,
        prorated_annual_compensation,
        plan_compensation,
        pre_tax_amount + roth_amount - catch_up_amount as deferrals_without_catch_up,
        catch_up_amount,
        annual_additions_amount,
        year(employee_birth_date)::integer as birth_year
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year') }}
)

select
    people.employee_id,
    people.deferrals_without_catch_up,
    limits.elective_deferral_limit,
    people.catch_up_amount,
    {{ catch_up_limit('limits', 'people.birth_year') }} as catch_up_limit,
    people.annual_additions_amount,
    least(limits.annual_additions_limit, people.prorated_annual_compensation) as annual_additions_limit,
    people.plan_compensation,
    limits.compensation_limit
from people
cross join {{ ref('stg_irs_limits') }} as limits
where
    people.deferrals_without_catch_up > limits.elective_deferral_limit
    or people.catch_up_amount > {{ catch_up_limit('limits', 'people.birth_year') }}
    or people.annual_additions_amount > least(limits.annual_additions_limit, people.prorated_annual_compensation)
    or people.plan_compensation > limits.compensation_limit
