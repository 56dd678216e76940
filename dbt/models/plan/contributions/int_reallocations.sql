-- Forfeitures reallocated to people, where the plan does so: pro rata to the core plan compensation of everyone
-- eligible and employed at the year's end, in whole cents by largest remainder, ties by id. No rows otherwise.
with

shares as (
    select
        people.employee_id,
        (pools.to_reallocate * 100)::hugeint as pool_cents,
        people.core_pay_cents,
        sum(people.core_pay_cents) over () as all_pay_cents
    from {{ ref('int_eligibility') }} as people
    cross join {{ ref('int_forfeiture_pool') }} as pools
    where
        pools.to_reallocate > 0
        and people.core_from_day is not null
        and people.core_pay_cents > 0
        and people.termination_date is null
),

parted as (
    select
        employee_id,
        pool_cents,
        pool_cents * core_pay_cents // all_pay_cents as whole,
        pool_cents * core_pay_cents % all_pay_cents as remainder
    from shares
)

select
    employee_id,
    {{ dollars(
        'whole + (row_number() over (order by remainder desc, employee_id asc) '
        ~ '<= pool_cents - sum(whole) over ())::bigint'
    ) }} as reallocated
from parted
