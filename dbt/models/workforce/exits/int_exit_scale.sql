-- One row: the factor c that makes the expected number of other exits right: over everyone who does not retire, the sum
-- of min(1, c x hazard) is the expected exits less the announced ones and the expected deaths, disabilities and
-- retirements.
-- People whose c x hazard would pass 1 leave for certain; the rest share what is left in proportion to their hazard, so
-- c is found by trying each hazard as the largest one that is not capped, from above.
with

hazards as (
    select
        hazards.hazard::decimal(24, 12) as hazard,
        count(*) as people
    from {{ ref('int_exit_hazard') }} as hazards
    anti join {{ ref('int_retirements') }} as retirements
        on hazards.employee_id = retirements.employee_id
    where hazards.hazard > 0
    group by {{ world('hazards') }} hazards.hazard
),

cumulated as (
    select
        hazard,
        (sum(people) over (order by hazard desc) - people)::bigint as people_above,
        sum(hazard * people) over (order by hazard) as hazard_up_to_here
    from hazards
),

needed as (
    select greatest(expected_exits - announced_exits - expected_decrements - expected_retirements, 0) as exits
    from {{ ref('int_headcount_target') }}
),

candidates as (
    select
        cumulated.hazard,
        (needed.exits - cumulated.people_above)::double / cumulated.hazard_up_to_here::double as scale
    from cumulated
    cross join needed
    where needed.exits >= cumulated.people_above
)

select round(coalesce(arg_max(scale, hazard) filter (where scale * hazard::double <= 1), 1e12), 12) as scale
from candidates
