-- The employer's core (nonelective) contribution to every eligible person, enrolled or not, before section 415(c). Rate
-- x P, the rate flat or by completed years, points or age on 31 December or at exit; a flat formula may add the
-- permitted disparity x max(0, P - integration level), the level being the wage base, a percent of it, or dollars,
-- never prorated. Rounded once. Code sections 401(a)(4), 401(l).
with

people as (
    select
        people.employee_id,
        {{ dollars('people.core_pay_cents') }} as plan_compensation,
        people.age,
        people.completed_years,
        {{ failed_gate('people', 'core') }} as failed_gate
    from {{ ref('int_eligibility') }} as people
    where
        people.core_from_day is not null
        and people.core_pay_cents > 0
),

formula as (
    select
        formulas.name,
        formulas.tiers_by,
        formulas.disparity_rate,
        case formulas.integration_level
            when 'wage_base' then limits.social_security_wage_base
            when 'percent_of_wage_base'
                then round(formulas.integration_percent * limits.social_security_wage_base, 2)::decimal(18, 2)
            when 'dollars' then formulas.integration_amount
        end as integration_level
    from {{ parameters('core_formulas') }} as formulas
    cross join {{ ref('stg_irs_limits') }} as limits
)

select
    people.employee_id,
    people.plan_compensation,
    people.failed_gate,
    case
        when people.failed_gate is null
            then round(
                people.plan_compensation::decimal(38, 2) * tiers.core_rate
                + coalesce(greatest(people.plan_compensation - formula.integration_level, 0), 0)::decimal(38, 2)
                * formula.disparity_rate,
                2
            )
        else 0
    end::decimal(18, 2) as core_amount
from people
cross join formula
inner join {{ parameters('core_tiers') }} as tiers
    on
        {{ tier_value('formula.tiers_by', 'people.age', 'people.completed_years') }} >= tiers.value_from
        and (
            tiers.value_to is null
            or {{ tier_value('formula.tiers_by', 'people.age', 'people.completed_years') }} < tiers.value_to
        )
