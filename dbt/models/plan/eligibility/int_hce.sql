-- Who is highly compensated this year.  Code section 414(q).
-- More than five-percent owners, and people whose actual pay of the year before was above that year's threshold, not
-- annualised; with the top-paid-group election only those of them among the top 20 % of the opening population by that
-- pay, ties by id. Nobody hired in the year can be, but for acquired people whose pay elsewhere is credited.
with

people as (
    select
        employee_id,
        is_five_percent_owner,
        prior_year_compensation,
        make_date({{ param('simulation_year') }}, 1, 1) as since
    from {{ ref('int_opening_workforce') }}
    union all
    select
        employee_id,
        is_five_percent_owner,
        prior_year_compensation,
        acquired_on as since
    from {{ ref('int_acquired') }}
    where prior_year_compensation is not null
),

ranked as (
    select
        people.employee_id,
        people.is_five_percent_owner,
        people.prior_year_compensation,
        people.since,
        limits.prior_year_hce_threshold,
        row_number() over (order by people.prior_year_compensation desc, people.employee_id asc) as pay_rank,
        (count(*) over () * 2 + 5) // 10 as top_paid
    from people
    cross join {{ ref('stg_irs_limits') }} as limits
)

select
    employee_id,
    case when is_five_percent_owner then 'five_percent_owner' else 'compensation' end as hce_basis,
    prior_year_compensation,
    prior_year_hce_threshold,
    since
from ranked
where
    is_five_percent_owner
    or (
        prior_year_compensation > prior_year_hce_threshold
        and (not {{ param('top_paid_group') }} or pay_rank <= top_paid)
    )
