-- The employer match of everyone who defers and is eligible for it, before the limit of section 415(c). Sum over the
-- tiers of rate x (min(D, upper x P) - min(D, lower x P)), at most the percent cap x P and the dollar cap, rounded
-- once; D is the deferral after all limits, catch-up included (or its part since the entry date of the match), P plan
-- compensation. Paid per payroll it is the sum of
-- the periods, at most the dollar cap, and the rest of the annual match is lost to timing. The tier set is that of the
-- service, points or age on 31 December or at exit. A failed gate leaves nothing, and says why.
with

people as (
    select
        people.employee_id,
        people.age,
        people.completed_years,
        {{ dollars('people.match_pay_cents') }} as plan_compensation,
        deferrals.deferral - coalesce(before.deferral, 0)::decimal(18, 2) as deferral,
        {{ failed_gate('people', 'match') }} as failed_gate
    from {{ ref('int_elective_deferrals') }} as deferrals
    inner join {{ ref('int_eligibility') }} as people
        on deferrals.employee_id = people.employee_id
    left join {{ ref('int_deferrals_before_match') }} as before
        on deferrals.employee_id = before.employee_id
    where
        people.match_from_day is not null
        and people.match_pay_cents > 0
        and deferrals.deferral > 0
),

tiered as (
    select
        people.employee_id,
        tiers.tier,
        tiers.match_rate,
        tiers.cap_rate,
        tiers.cap_amount,
        people.plan_compensation,
        people.failed_gate,
        {{ tier_deferral('people.deferral', 'people.plan_compensation') }} as tier_deferral
    from people
    inner join {{ ref('stg_match_tiers') }} as tiers
        on
            tiers.formula = 'current'
            and {{ tier_value('tiers.tiers_by', 'people.age', 'people.completed_years') }} >= tiers.value_from
            and {{ tier_value('tiers.tiers_by', 'people.age', 'people.completed_years') }} < tiers.value_to
),

summed as (
    select
        employee_id,
        max(plan_compensation) as plan_compensation,
        max(failed_gate) as failed_gate,
        max(cap_amount) as cap_amount,
        max(cap_rate * plan_compensation) as cap_by_rate,
        coalesce(max(tier) filter (where tier_deferral > 0 and match_rate > 0), 0) as tiers_reached,
        coalesce(sum(tier_deferral) filter (where match_rate > 0), 0)::decimal(18, 8) as matched_deferral,
        sum(tier_deferral::decimal(38, 8) * match_rate) as tier_match
    from tiered
    group by employee_id
),

rounded as (
    select
        *,
        round(tier_match, 2)::decimal(18, 2) as match_before_caps,
        round(cap_by_rate, 2)::decimal(18, 2) as rounded_cap_by_rate
    from summed
),

-- rounding keeps the order of amounts, so the least of the rounded amounts is the least amount, rounded
annual as (
    select
        rounded.*,
        least(
            rounded.match_before_caps,
            coalesce(rounded.rounded_cap_by_rate, rounded.match_before_caps),
            coalesce(rounded.cap_amount, rounded.match_before_caps)
        ) as annual_match,
        case
            when {{ param('match_computed') }} = 'annual' then null
            else least(
                coalesce(periods.match_by_period, 0), coalesce(rounded.cap_amount, periods.match_by_period, 0)
            )
        end::decimal(18, 2) as period_match
    from rounded
    left join {{ ref('int_match_periods') }} as periods
        on rounded.employee_id = periods.employee_id
)

select
    employee_id,
    plan_compensation,
    tiers_reached,
    round(matched_deferral, 2)::decimal(18, 2) as matched_deferral,
    match_before_caps,
    case when cap_by_rate is null then false else tier_match > cap_by_rate end as is_capped_by_rate,
    case when cap_amount is null then false else tier_match > cap_amount end as is_capped_by_amount,
    failed_gate,
    case when failed_gate is null then coalesce(period_match, annual_match) else 0 end::decimal(18, 2) as match_amount,
    case
        when failed_gate is null and period_match is not null then annual_match - period_match
        else 0
    end::decimal(18, 2) as lost_to_timing
from annual
