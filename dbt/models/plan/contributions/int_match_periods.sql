-- The match of every pay period, where the plan computes it per payroll; no rows otherwise.
-- Period k of n covers the days floor((k - 1) L / n) + 1 to floor(k L / n) of the year's L days. Deferrals and plan
-- compensation of a period are the differences of their cumulated, limited amounts, so that limits are reached in order
-- of date. The tiers apply to the period's pay; each period is rounded, and there is no true-up.
-- Long because the rows of people x periods are used at once and never stored.
with

periods as (
    select unnest(range(1, {{ param('pay_periods') }} + 1))::integer as period
    where {{ param('match_computed') }} = 'per_payroll'
),

matched as (
    select
        people.*,
        periods.period,
        least(
            people.last_day, periods.period * people.days_in_year // {{ param('pay_periods') }}
        ) as period_end,
        deferrals.catch_up_limit,
        {{ cents('before.deferral') }} as unmatched_cents,
        {{ deferral_limit('people', 'limits') }} as elective_deferral_limit,
        limits.compensation_limit,
        case
            when {{ param('compensation_from') }} = 'plan_year' then people.first_day
            else people.match_from_day
        end as pay_from_day
    from periods
    cross join {{ ref('int_elective_deferrals') }} as deferrals
    inner join {{ ref('int_eligibility') }} as people
        on deferrals.employee_id = people.employee_id
    cross join {{ ref('stg_irs_limits') }} as limits
    left join {{ ref('int_deferrals_before_match') }} as before
        on deferrals.employee_id = before.employee_id
    where people.match_from_day is not null
),

changed as (
    select
        matched.employee_id,
        matched.period,
        sum(
            ((changes.rate_after - changes.rate_before) * 1000000)::bigint
            * {{ pay_days('matched', 'dayofyear(changes.effective_date)', 'matched.period_end') }}::hugeint
        ) as rate_pay_days
    from matched
    inner join {{ ref('int_deferral_changes') }} as changes
        on matched.employee_id = changes.employee_id
    where
        not changes.is_refunded
        and dayofyear(changes.effective_date) <= matched.period_end
    group by matched.employee_id, matched.period
),

cumulated as (
    select
        matched.employee_id,
        matched.period,
        greatest({{ deferral_cents_by('matched', 'matched.period_end') }} - matched.unmatched_cents, 0)::bigint
            as deferral_cents,
        least(
            (matched.compensation_limit * 100)::bigint,
            {{ rounded_ratio(
                pay_days('matched', 'matched.pay_from_day', 'matched.period_end'), 'matched.days_in_year'
            ) }}
        ) as pay_cents
    from matched
    left join changed
        on
            matched.employee_id = changed.employee_id
            and matched.period = changed.period
),

single as (
    select
        employee_id,
        period,
        {{ dollars('deferral_cents - lag(deferral_cents, 1, 0) over in_order') }} as deferral,
        {{ dollars('pay_cents - lag(pay_cents, 1, 0) over in_order') }} as pay
    from cumulated
    window in_order as (partition by employee_id order by period)
),

-- The tiers are found once a person, not once a period. It also keeps a join without equality from standing above one
-- that repeats its rows: DuckDB 2.0 can end with "dict-surviving cache" there, if it expects a hundred rows for each.
tiered as materialized (
    select
        people.employee_id,
        tiers.lower_bound,
        tiers.upper_bound,
        tiers.match_rate,
        tiers.cap_rate
    from {{ ref('int_eligibility') }} as people
    inner join {{ ref('stg_match_tiers') }} as tiers
        on
            tiers.formula = 'current'
            and {{ tier_value('tiers.tiers_by', 'people.age', 'people.completed_years') }} >= tiers.value_from
            and {{ tier_value('tiers.tiers_by', 'people.age', 'people.completed_years') }} < tiers.value_to
),

paid as (
    select
        single.employee_id,
        single.period,
        round(
            least(
                sum({{ tier_deferral('single.deferral', 'single.pay') }}::decimal(38, 8) * tiers.match_rate),
                max(coalesce(tiers.cap_rate * single.pay, 1e12::decimal(38, 14)))
            ),
            2
        ) as period_match
    from single
    inner join tiered as tiers
        on single.employee_id = tiers.employee_id
    where single.deferral > 0
    group by single.employee_id, single.period
)

select
    employee_id,
    sum(period_match)::decimal(18, 2) as match_by_period
from paid
group by employee_id
