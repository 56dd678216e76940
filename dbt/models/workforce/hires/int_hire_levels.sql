-- How many people are hired at each level: the configured mix, or the mix of the opening population, in whole people by
-- largest remainder, ties to the lower level. Hires are numbered level by level; a row holds the numbers of its level.
with

configured as (
    select
        level_id,
        (share * 1000000)::bigint as weight
    from {{ source('parameters', 'new_hire_level_mix') }}
),

opening as (
    select
        level_id,
        count(*) as weight
    from {{ ref('int_opening_workforce') }}
    group by level_id
),

weights as (
    select
        level_id,
        weight
    from configured
    union all
    select
        level_id,
        weight
    from opening
    where not exists (select 1 from configured)
),

quotas as (
    select
        weights.level_id,
        plan.hires,
        plan.hires * weights.weight // sum(weights.weight) over () as whole,
        plan.hires * weights.weight % sum(weights.weight) over () as remainder
    from weights
    cross join {{ ref('int_hiring_plan') }} as plan
),

allotted as (
    select
        level_id,
        whole
        + (row_number() over (order by remainder desc, level_id asc) <= hires - sum(whole) over ())::bigint as hires
    from quotas
)

select
    level_id,
    hires::bigint as hires,
    (sum(hires) over (order by level_id) - hires)::bigint as first_before,
    (sum(hires) over (order by level_id))::bigint as last_number
from allotted
