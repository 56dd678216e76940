-- What people deferred in the year before their entry date of the match, where the plan matches only what is deferred
-- from that day on; no rows otherwise. The limits of the year are reached in order of date.
with

people as (
    select
        people.*,
        people.match_from_day - 1 as day_before,
        deferrals.catch_up_limit,
        {{ deferral_limit('people', 'limits') }} as elective_deferral_limit
    from {{ ref('int_elective_deferrals') }} as deferrals
    inner join {{ ref('int_eligibility') }} as people
        on deferrals.employee_id = people.employee_id
    cross join {{ ref('stg_irs_limits') }} as limits
    where
        {{ param('match_deferrals_from') }} = 'match_entry'
        and people.match_from_day > people.deferral_from_day
),

changed as (
    select
        people.employee_id,
        sum(
            ((changes.rate_after - changes.rate_before) * 1000000)::bigint
            * {{ pay_days('people', 'dayofyear(changes.effective_date)', 'people.day_before') }}::hugeint
        ) as rate_pay_days
    from people
    inner join {{ ref('int_deferral_changes') }} as changes
        on people.employee_id = changes.employee_id
    where
        not changes.is_refunded
        and dayofyear(changes.effective_date) <= people.day_before
    group by people.employee_id
)

select
    people.employee_id,
    {{ dollars(deferral_cents_by('people', 'people.day_before')) }} as deferral
from people
left join changed
    on people.employee_id = changed.employee_id
