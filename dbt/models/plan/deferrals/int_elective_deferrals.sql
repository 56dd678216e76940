-- What each participant defers in the year. Code sections 402(g), 414(v), 414(v)(7). Elected = sum over pay and rate
-- segments of pay x days / days in the year x rate, written as a fold: the opening rate x pay from the first eligible
-- day, and each change of the rate x pay from its day on; never capped by 401(a)(17). B = min(402(g) limit, plan
-- maximum rate x pay while eligible); deferred D = min(elected, B + catch-up limit), of which max(0, D - B) is catch-
-- up. From the year in which a wage threshold is in force, catch-up of people paid above it the year before is all
-- Roth (see int_annual_additions), and nothing where the plan has no Roth feature. After-tax contributions follow the
-- enrolled pay, rounded once, up to the pay that deferrals leave; with spill-over they are what the limits of 402(g)
-- and 414(v) leave of the person's own election, up to the plan's maximum rate.
-- Long because each limit works on what the one before left; a table between would hold everyone once more.
with

changes as (
    select
        changes.employee_id,
        changes.rate_before,
        changes.rate_after,
        {{ pay_days('people', 'dayofyear(changes.effective_date)') }} as pay_days
    from {{ ref('int_deferral_changes') }} as changes
    inner join {{ ref('int_eligibility') }} as people
        on changes.employee_id = people.employee_id
    where
        not changes.is_refunded
        and people.deferral_from_day is not null
),

changed as (
    select
        employee_id,
        sum(((rate_after - rate_before) * 1000000)::bigint * pay_days::hugeint) as rate_pay_days,
        sum(((rate_after > 0)::integer - (rate_before > 0)::integer) * pay_days) as enrolled_pay_days
    from changes
    group by employee_id
),

participants as (
    select
        people.employee_id,
        people.days_in_year,
        people.deferral_pay_cents,
        case when people.pending_kind = 'opt_out' then 0 else people.opening_rate end as opening_rate,
        {{ pay_days('people', 'people.deferral_from_day') }} as opening_pay_days,
        coalesce(changed.rate_pay_days, 0) as rate_pay_days,
        coalesce(changed.enrolled_pay_days, 0) as enrolled_pay_days,
        {{ deferral_limit('people', 'limits') }} as elective_deferral_limit,
        coalesce(people.prior_year_compensation > limits.roth_catch_up_wage_threshold, false) as is_catch_up_roth,
        {{ catch_up_limit('limits', 'year(people.employee_birth_date)') }} as age_catch_up_limit
    from {{ ref('int_eligibility') }} as people
    cross join {{ ref('stg_irs_limits') }} as limits
    left join changed
        on people.employee_id = changed.employee_id
    where
        people.deferral_from_day is not null
        and (
            changed.employee_id is not null
            or (people.opening_rate > 0 and people.pending_kind is null)
        )
),

elected as (
    select
        employee_id,
        deferral_pay_cents,
        elective_deferral_limit,
        is_catch_up_roth,
        age_catch_up_limit,
        {{ dollars(rounded_ratio(
            '(opening_rate * 1000000)::bigint * opening_pay_days::hugeint + rate_pay_days',
            'days_in_year * 1000000::hugeint'
        )) }} as elected,
        {{ dollars(rounded_ratio(
            "(" ~ param('after_tax_rate') ~ " * 1000000)::bigint"
            ~ " * ((opening_rate > 0)::integer * opening_pay_days + enrolled_pay_days)::hugeint",
            'days_in_year * 1000000::hugeint'
        )) }} as elected_after_tax,
        {{ dollars(rounded_ratio(
            "(" ~ param('maximum_deferral_rate') ~ " * 1000000)::bigint * deferral_pay_cents",
            '1000000'
        )) }} as plan_maximum,
        case
            when is_catch_up_roth and not {{ param('roth_feature') }} then 0::decimal(18, 2)
            else age_catch_up_limit
        end as catch_up_limit
    from participants
),

limited as (
    select
        *,
        least(elective_deferral_limit, plan_maximum) as base_limit,
        least(elected, least(elective_deferral_limit, plan_maximum) + catch_up_limit) as deferral
    from elected
),

parted as (
    select
        *,
        greatest(deferral - base_limit, 0)::decimal(18, 2) as catch_up,
        case
            when {{ param('after_tax_spill_over') }} then greatest(least(elected, plan_maximum) - deferral, 0)
            else elected_after_tax
        end::decimal(18, 2) as wanted_after_tax
    from limited
),

contributed as (
    select
        *,
        least(wanted_after_tax, {{ dollars('deferral_pay_cents') }} - deferral)::decimal(18, 2) as after_tax
    from parted
)

select
    employee_id,
    elected,
    base_limit,
    catch_up_limit,
    deferral,
    catch_up,
    is_catch_up_roth,
    after_tax,
    case
        when elected <= deferral then case when after_tax < wanted_after_tax then 'compensation' end
        when catch_up_limit < age_catch_up_limit then '414(v)(7) no Roth feature'
        when base_limit < elective_deferral_limit then 'plan_maximum_rate'
        when catch_up_limit > 0 then '402(g) and 414(v)'
        else '402(g)'
    end as limit_reason
from contributed
where elected > 0
