-- The match ceiling: the smallest whole percent of pay that earns the most match from a formula, for everyone who
-- chooses a rate this year, and for both formulas where the match has just changed. It is read from the compiled tiers
-- that also pay the match, at the person's annual rate of pay, service and age, with deferrals limited by the plan
-- maximum (whole percents) and by section 402(g) plus catch-up, and pay by 401(a)(17).
with

deciding as (
    select
        joining.employee_id,
        'current' as formula,
        joining.decision_pay as pay,
        joining.decision_age as age,
        joining.decision_service as service,
        joining.birth_year
    from {{ ref('int_joining') }} as joining
    union all
    select
        people.employee_id,
        formulas.formula,
        (people.opening_cents / 100)::decimal(18, 2) as pay,
        {{ completed_years('people.employee_birth_date', 'people.year_start') }} as age,
        {{ completed_years('people.employee_service_date', 'people.year_start') }} as service,
        year(people.employee_birth_date)::integer as birth_year
    from {{ ref('int_eligibility') }} as people
    cross join {{ source('parameters', 'match_formulas') }} as formulas
    where
        {{ param('simulation_year') }} = {{ param('start_year') }}
        and people.opening_rate > 0
        and people.deferral_from_day is not null
        and exists (
            select 1
            from {{ source('parameters', 'match_formulas') }} as stated
            where stated.formula = 'previous'
        )
),

limited as (
    select
        deciding.employee_id,
        deciding.formula,
        deciding.pay::double as pay,
        deciding.age,
        deciding.service,
        least(deciding.pay, limits.compensation_limit)::double as plan_pay,
        least(
            floor({{ param('maximum_deferral_rate') }} * 100)::double / 100 * deciding.pay::double,
            (
                limits.elective_deferral_limit
                + {{ catch_up_limit('limits', 'deciding.birth_year') }}
            )::double
        ) as most_deferred
    from deciding
    cross join {{ ref('stg_irs_limits') }} as limits
),

reached as (
    select
        limited.employee_id,
        limited.formula,
        limited.plan_pay / limited.pay as plan_pay_share,
        tiers.lower_bound::double as lower_bound,
        least(tiers.upper_bound::double, limited.most_deferred / limited.plan_pay) as reach,
        tiers.match_rate::double as match_rate,
        tiers.match_below::double as match_below,
        least(
            coalesce(tiers.cap_rate::double, 'infinity'::double),
            coalesce(tiers.cap_amount::double / limited.plan_pay, 'infinity'::double)
        ) as cap
    from limited
    inner join {{ ref('stg_match_tiers') }} as tiers
        on
            limited.formula = tiers.formula
            and {{ tier_value('tiers.tiers_by', 'limited.age', 'limited.service') }} >= tiers.value_from
            and {{ tier_value('tiers.tiers_by', 'limited.age', 'limited.service') }} < tiers.value_to
    where
        tiers.match_rate > 0
        and limited.most_deferred > tiers.lower_bound::double * limited.plan_pay
)

select
    employee_id,
    formula,
    (
        ceil(
            round(
                100 * max(
                    plan_pay_share
                    * case
                        when match_below + match_rate * (reach - lower_bound) > cap
                            then lower_bound + (cap - match_below) / match_rate
                        else reach
                    end
                ),
                9
            )
        ) / 100
    )::decimal(9, 6) as match_ceiling
from reached
where match_below < cap
group by employee_id, formula
